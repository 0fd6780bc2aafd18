-- Payments into the receivables, valued up to the last run date. One row per payment_id.
with
    payments as (select * from {{ ref("stg_payments") }}),
    as_of_dates as (select * from {{ ref("stg_as_of_dates") }}),
    last_run as (select max(as_of_date) as as_of_date from as_of_dates where is_run_date)

select
    payments.payment_id,
    payments.entity_id,
    payments.bank_account_id,
    payments.customer_id,
    payments.currency_code,
    payments.payer_name,
    payments.payer_account,
    payments.payment_method,
    payments.reference_text,
    payments.reverses_payment_id,
    payments.payment_amount,
    payments.value_date
from payments
cross join last_run
where
    payments.value_date <= last_run.as_of_date
    -- money for prepaid, cash-on-delivery and card sales settles no receivable
    and coalesce(payments.settlement, 'terms') = 'terms'
