-- Cost of capital and thresholds of alerts: one row.
select cost_of_capital_ratio, shortfall_ratio, concentration_ratio, concentration_min_customer_count
from {{ source("policy", "kpi_controls") }}
