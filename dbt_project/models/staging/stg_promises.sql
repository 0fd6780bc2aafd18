-- Promises to pay. One row per promise_id.
select
    promise_id,
    customer_id,
    invoice_id,
    promised_amount,
    currency_code,
    promised_date,
    made_date,
    _source,
    _file_id,
    _line,
    _loaded_at
from {{ source("raw", "promises") }}
