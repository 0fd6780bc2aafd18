-- How much of the money received was set against documents by itself: on the last run date, and in the 30
-- days up to
-- it. One row per as_of_date, period, entity_id, currency_code, bank_account_id; ALL accounts together too.
with
    as_of_dates as (select * from {{ ref("stg_as_of_dates") }}),
    last_run as (select max(as_of_date) as as_of_date from as_of_dates where is_run_date),
    handled as (select * from {{ ref("int_payments_handled") }}),

    periods as (
        select '1_day' as period, 1 as period_days
        union all
        select '30_days', 30
    ),

    received as (
        select
            last_run.as_of_date,
            periods.period,
            handled.entity_id,
            handled.currency_code,
            handled.bank_account_id,
            handled.handling,
            handled.payment_amount
        from handled
        cross join last_run
        inner join
            periods on periods.period_days > {{ days_between("handled.value_date", "last_run.as_of_date") }}
    ),

    of_accounts as (
        select as_of_date, period, entity_id, currency_code, bank_account_id, handling, payment_amount
        from received
        union all
        select as_of_date, period, entity_id, currency_code, 'ALL', handling, payment_amount
        from received
    ),

    summed as (
        select
            as_of_date,
            period,
            entity_id,
            currency_code,
            bank_account_id,
            count(*) as received_count,
            sum(payment_amount) as received_amount,
            count(case when handling = 'automatic' then 1 end) as automatic_count,
            sum(case when handling = 'automatic' then payment_amount else 0 end) as automatic_amount,
            count(case when handling = 'person' then 1 end) as person_count,
            sum(case when handling = 'person' then payment_amount else 0 end) as person_amount,
            count(case when handling = 'ledger' then 1 end) as ledger_count,
            sum(case when handling = 'ledger' then payment_amount else 0 end) as ledger_amount,
            count(case when handling = 'waiting' then 1 end) as waiting_count,
            sum(case when handling = 'waiting' then payment_amount else 0 end) as waiting_amount
        from of_accounts
        group by as_of_date, period, entity_id, currency_code, bank_account_id
    )

select
    as_of_date,
    period,
    entity_id,
    currency_code,
    bank_account_id,
    received_count,
    {{ money("received_amount") }} as received_amount,
    automatic_count,
    {{ money("automatic_amount") }} as automatic_amount,
    person_count,
    {{ money("person_amount") }} as person_amount,
    ledger_count,
    {{ money("ledger_amount") }} as ledger_amount,
    waiting_count,
    {{ money("waiting_amount") }} as waiting_amount,
    {{ ratio("automatic_count", "(received_count - ledger_count)") }} as automatic_count_ratio,
    {{ ratio("automatic_amount", "(received_amount - ledger_amount)") }} as automatic_amount_ratio
from summed
