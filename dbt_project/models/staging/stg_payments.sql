-- Money received, one per bank movement; reversals are negative. One row per payment_id.
select
    payment_id,
    entity_id,
    bank_account_id,
    customer_id,
    payer_name,
    payer_account,
    value_date,
    booking_date,
    currency_code,
    payment_amount,
    payment_method,
    reference_text,
    reverses_payment_id,
    settlement,
    _source,
    _file_id,
    _line,
    _loaded_at
from {{ source("raw", "payments") }}
