-- What the ledger itself has set against documents. One row per application_id.
select
    application_id,
    payment_id,
    credit_memo_id,
    invoice_id,
    application_date,
    applied_amount,
    application_type,
    reverses_application_id,
    _source,
    _file_id,
    _line,
    _loaded_at
from {{ source("raw", "payment_applications") }}
