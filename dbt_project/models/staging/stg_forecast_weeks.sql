-- The weeks of the cash forecast, the last of them for all that is expected later. One row per week_number.
select week_number, is_beyond_horizon from {{ source("policy", "forecast_weeks") }}
