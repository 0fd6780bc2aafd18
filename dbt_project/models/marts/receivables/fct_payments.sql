-- Payments into the receivables and how far they are applied on the last run date. One row per payment_id.
-- A view: the rows stand in int_payments_applied.
{{ config(materialized="view") }}

select
    payment_id,
    entity_id,
    customer_id,
    currency_code,
    payment_method,
    status,
    reverses_payment_id,
    payment_amount,
    applied_amount,
    unapplied_amount,
    value_date,
    last_applied_date
from {{ ref("int_payments_applied") }}
