-- Applications that our own engine has recorded. One row per application_id.
select
    application_id,
    payment_id,
    credit_memo_id,
    invoice_id,
    customer_id,
    currency_code,
    application_type,
    rule,
    explanation,
    reverses_application_id,
    applied_amount,
    score,
    application_date
from {{ source("raw", "engine_applications") }}
