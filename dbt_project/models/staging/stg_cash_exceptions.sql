-- Payments that a person must look at. One row per payment_id.
select
    payment_id,
    entity_id,
    customer_id,
    currency_code,
    reason_code,
    reason,
    payment_amount,
    unapplied_amount,
    value_date
from {{ source("raw", "cash_exceptions") }}
