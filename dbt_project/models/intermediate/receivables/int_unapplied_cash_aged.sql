-- Payments of which money is not set against a document on the last run date, and for how long it has been
-- here.
-- One row per payment_id.
-- What the bank took back is as old as the payment it belongs to, so that the two balance.
with
    as_of_dates as (select * from {{ ref("stg_as_of_dates") }}),
    last_run as (select max(as_of_date) as as_of_date from as_of_dates where is_run_date),
    counted as (select * from {{ ref("int_payments_counted") }}),
    payments as (select * from {{ ref("int_payments_applied") }} where unapplied_amount <> 0)

select
    payments.payment_id,
    payments.entity_id,
    payments.customer_id,
    payments.currency_code,
    coalesce(originals.bank_account_id, counted.bank_account_id, '(none)') as bank_account_id,
    payments.unapplied_amount,
    payments.customer_id is null as is_suspense,
    {{
        days_between(
            "coalesce(originals.value_date, payments.value_date)",
            "last_run.as_of_date",
        )
    }} as age_days
from payments
cross join last_run
inner join counted on counted.payment_id = payments.payment_id
left join counted as originals on originals.payment_id = payments.reverses_payment_id
