-- Exchange rates: one unit of the from currency in the to currency. One row per rate_date,
-- from_currency_code, to_currency_code.
select rate_date, from_currency_code, to_currency_code, rate, _source, _file_id, _line, _loaded_at
from {{ source("raw", "fx_rates") }}
