-- Days that cash application looks back: one row.
select paid_lookback_days from {{ source("policy", "matching") }}
