-- Payments that a person must look at on the last run date, with the reason that matters most. One row per
-- payment_id.
with
    exceptions as (select * from {{ ref("stg_cash_exceptions") }}),
    as_of_dates as (select * from {{ ref("stg_as_of_dates") }}),
    last_run as (select max(as_of_date) as as_of_date from as_of_dates where is_run_date)

select
    last_run.as_of_date,
    exceptions.payment_id,
    exceptions.entity_id,
    exceptions.customer_id,
    exceptions.currency_code,
    exceptions.reason_code,
    exceptions.reason,
    exceptions.payment_amount,
    exceptions.unapplied_amount,
    {{ days_between("exceptions.value_date", "last_run.as_of_date") }} as waiting_days,
    exceptions.value_date
from exceptions
cross join last_run
