-- What each rule of cash application settled of the payments received in the 30 days up to the last run
-- date, and
-- how much of it was taken back by a person. One row per as_of_date, entity_id, currency_code, rule.
with
    as_of_dates as (select * from {{ ref("stg_as_of_dates") }}),
    last_run as (select max(as_of_date) as as_of_date from as_of_dates where is_run_date),
    engine as (select * from {{ ref("stg_engine_applications") }}),

    payments as (
        select handled.payment_id, handled.entity_id, last_run.as_of_date
        from {{ ref("int_payments_handled") }} as handled
        inner join
            last_run on {{ days_between("handled.value_date", "last_run.as_of_date") }} between 0 and 29
    ),

    taken_back as (
        select distinct reverses_application_id from engine where reverses_application_id is not null
    ),

    applied as (
        select
            payments.as_of_date,
            payments.entity_id,
            engine.currency_code,
            engine.rule,
            engine.payment_id,
            engine.application_type,
            engine.applied_amount,
            taken_back.reverses_application_id is not null as is_taken_back
        from engine
        inner join payments on payments.payment_id = engine.payment_id
        left join taken_back on taken_back.reverses_application_id = engine.application_id
        where engine.application_type <> 'reversal' and engine.application_date <= payments.as_of_date
    )

select
    as_of_date,
    entity_id,
    currency_code,
    rule,
    count(distinct payment_id) as payment_count,
    count(*) as application_count,
    count(case when is_taken_back then 1 end) as taken_back_count,
    {{
        money(
            "sum(case when application_type = 'payment' and not is_taken_back then applied_amount else 0 end)"
        )
    }} as applied_amount,
    {{
        money(
            "sum(case when application_type = 'credit_memo' and not is_taken_back then applied_amount else 0 end)"
        )
    }}
    as credit_memo_amount,
    {{
        money(
            "sum(case when application_type = 'discount' and not is_taken_back then applied_amount else 0 end)"
        )
    }}
    as discount_amount,
    {{
        money(
            "sum(case when application_type = 'write_off' and not is_taken_back then applied_amount else 0 end)"
        )
    }}
    as written_off_amount
from applied
group by as_of_date, entity_id, currency_code, rule
