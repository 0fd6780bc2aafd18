-- Cash forecasts that were published before. One row per as_of_date, week_start_date, entity_id,
-- currency_code.
select
    as_of_date,
    week_start_date,
    entity_id,
    currency_code,
    week_number,
    is_beyond_horizon,
    expected_amount,
    low_amount,
    high_amount
from {{ source("raw", "forecast_history") }}
