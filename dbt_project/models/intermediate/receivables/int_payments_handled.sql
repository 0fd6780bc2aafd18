-- Payments received up to the last run date that stayed with us, and who settled them. One row per
-- payment_id.
{{ config(materialized="table") }}

with
    as_of_dates as (select * from {{ ref("stg_as_of_dates") }}),
    last_run as (select max(as_of_date) as as_of_date from as_of_dates where is_run_date),
    exceptions as (select * from {{ ref("stg_cash_exceptions") }}),

    payments as (
        select applied.*, counted.bank_account_id
        from {{ ref("int_payments_applied") }} as applied
        inner join {{ ref("int_payments_counted") }} as counted on counted.payment_id = applied.payment_id
        where not applied.is_reversed and applied.payment_amount >= 0
    ),

    -- Also what the ledger has booked itself since: it was done here.
    ours as (
        select
            engine.payment_id,
            count(case when engine.rule = 'person' then 1 end) as person_count,
            count(case when engine.rule <> 'person' then 1 end) as engine_count
        from {{ ref("stg_engine_applications") }} as engine
        inner join last_run on last_run.as_of_date >= engine.application_date
        where engine.application_type <> 'reversal'
        group by engine.payment_id
    ),

    assigned as (select payment_id from {{ ref("int_payers_assigned") }} where rule = 'person'),

    judged as (
        select
            payments.*,
            exceptions.reason_code,
            coalesce(ours.person_count, 0) > 0 or assigned.payment_id is not null as is_persons,
            coalesce(ours.engine_count, 0) > 0 as is_engines
        from payments
        left join ours on ours.payment_id = payments.payment_id
        left join assigned on assigned.payment_id = payments.payment_id
        left join exceptions on exceptions.payment_id = payments.payment_id
    )

select
    payment_id,
    entity_id,
    customer_id,
    currency_code,
    coalesce(bank_account_id, '(none)') as bank_account_id,
    reason_code,
    payment_amount,
    unapplied_amount,
    value_date,
    status,
    case
        when is_persons and (unapplied_amount = 0 or reason_code is null)
        then 'person'
        when is_engines and unapplied_amount = 0
        then 'automatic'
        -- what a known customer paid too much waits for nobody
        when is_engines and customer_id is not null and reason_code is null
        then 'automatic'
        when reason_code = 'already_paid' and customer_id is not null
        then 'automatic'
        when not is_engines and unapplied_amount = 0 and payment_amount > 0
        then 'ledger'
        else 'waiting'
    end as handling
from judged
