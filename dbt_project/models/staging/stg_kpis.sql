-- Key figures that can be compared, and which way is better. One row per kpi_name.
select kpi_order, kpi_name, unit, better from {{ source("policy", "kpis") }}
