-- Customers sorted by value, behaviour and risk. One row per as_of_date, customer_id.
select
    as_of_date,
    customer_id,
    value_tier,
    behaviour_class,
    risk_class,
    segment,
    case
        when value_tier is null and missing_terms is null
        then 'no data for: revenue'
        when value_tier is null
        then 'no data for: revenue, ' || missing_terms
        when missing_terms is not null
        then 'no data for: ' || missing_terms
    end as reasons,
    revenue_amount,
    group_currency_code as currency_code,
    revenue_share_ratio,
    risk_score,
    weighted_days_late,
    settled_invoice_count
from {{ ref("int_customers_profiled") }}
cross join {{ ref("stg_controls") }}
