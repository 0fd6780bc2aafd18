-- Promises to pay and how they stand on the run date. One row per as_of_date, promise_id. Kept when what
-- the customer paid in the promise's currency (for a promise about one invoice: what was paid on it)
-- from the day of the promise to the promised day reaches the promised amount; else broken from the day
-- after the promised day on; pending until then. Money that went back was not paid.
{{ config(materialized="table") }}

with
    run_dates as (select as_of_date from {{ ref("stg_as_of_dates") }} where is_run_date),
    promises as (
        select run_dates.as_of_date, promises.*
        from run_dates
        inner join {{ ref("stg_promises") }} as promises on promises.made_date <= run_dates.as_of_date
    ),
    received as (select * from {{ ref("int_payments_received") }}),
    applications as (select * from {{ ref("int_applications_unioned") }} where settlement_type = 'payment'),

    -- A reversal counts on the day of what it undoes, once it is known.
    applied as (
        select
            applications.invoice_id,
            applications.applied_amount,
            coalesce(reversed.effective_date, applications.effective_date) as applied_date,
            applications.effective_date as known_date
        from applications
        left join applications as reversed on reversed.application_id = applications.reverses_application_id
        where applications.invoice_id in (select invoice_id from promises)
    ),

    kept_towards as (
        select promises.as_of_date, promises.promise_id, received.received_amount as paid_amount
        from promises
        inner join
            received
            on received.customer_id = promises.customer_id
            and received.currency_code = promises.currency_code
            and received.received_date between promises.made_date and promises.promised_date
            and received.known_date <= promises.as_of_date
        where promises.invoice_id is null
        union all
        select promises.as_of_date, promises.promise_id, applied.applied_amount
        from promises
        inner join
            applied
            on applied.invoice_id = promises.invoice_id
            and applied.applied_date between promises.made_date and promises.promised_date
            and applied.known_date <= promises.as_of_date
    ),

    paid as (
        select as_of_date, promise_id, sum(paid_amount) as paid_amount
        from kept_towards
        group by as_of_date, promise_id
    )

select
    promises.as_of_date,
    promises.promise_id,
    promises.customer_id,
    promises.invoice_id,
    promises.currency_code,
    case
        when coalesce(paid.paid_amount, 0) >= promises.promised_amount
        then 'kept'
        when promises.promised_date < promises.as_of_date
        then 'broken'
        else 'pending'
    end as status,
    promises.promised_amount,
    {{ money("coalesce(paid.paid_amount, 0)") }} as paid_amount,
    promises.promised_date,
    promises.made_date
from promises
left join paid on paid.as_of_date = promises.as_of_date and paid.promise_id = promises.promise_id
