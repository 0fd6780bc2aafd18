-- What customers are expected to pay by week, in each of three cases, with what we owe them taken off their
-- earliest
-- weeks. One row per as_of_date, entity_id, customer_id, currency_code, scenario, week_number. What we owe:
-- open
-- credit memos, documents paid too much, unapplied cash. What it leaves over is negative in the last week.
with
    items as (select * from {{ ref("int_items_expected") }}),
    horizon as (select max(week_number) as last_week from {{ ref("stg_forecast_weeks") }}),

    summed as (
        select
            as_of_date,
            entity_id,
            customer_id,
            currency_code,
            early_week,
            usual_week,
            late_week,
            sum(part_amount) as amount
        from items
        group by as_of_date, entity_id, customer_id, currency_code, early_week, usual_week, late_week
    ),

    scenarios as (
        select
            as_of_date,
            entity_id,
            customer_id,
            currency_code,
            'early' as scenario,
            early_week as week_number,
            amount
        from summed
        union all
        select as_of_date, entity_id, customer_id, currency_code, 'usual', usual_week, amount
        from summed
        union all
        select as_of_date, entity_id, customer_id, currency_code, 'late', late_week, amount
        from summed
    ),

    weekly as (
        select as_of_date, entity_id, customer_id, currency_code, scenario, week_number, sum(amount) as amount
        from scenarios
        group by as_of_date, entity_id, customer_id, currency_code, scenario, week_number
    ),

    owed as (
        select as_of_date, entity_id, customer_id, currency_code, - open_amount as credit_amount
        from {{ ref("fct_open_items") }}
        where open_amount < 0
        union all
        select as_of_date, entity_id, customer_id, currency_code, unapplied_amount
        from {{ ref("int_unapplied_cash_summed") }}
    ),

    credits as (
        select as_of_date, entity_id, customer_id, currency_code, sum(credit_amount) as credit_amount
        from owed
        group by as_of_date, entity_id, customer_id, currency_code
    ),

    offset_weeks as (
        select
            weekly.*,
            credits.credit_amount,
            sum(weekly.amount) over (
                partition by
                    weekly.as_of_date,
                    weekly.entity_id,
                    weekly.customer_id,
                    weekly.currency_code,
                    weekly.scenario
                order by weekly.week_number
                rows between unbounded preceding and current row
            ) as until_amount
        from weekly
        left join credits using (as_of_date, entity_id, customer_id, currency_code)
    ),

    owing as (
        select as_of_date, entity_id, customer_id, currency_code, sum(part_amount) as open_amount
        from items
        group by as_of_date, entity_id, customer_id, currency_code
    ),

    left_over as (
        select
            credits.*,
            credits.credit_amount
            - least(greatest(credits.credit_amount, 0), coalesce(owing.open_amount, 0)) as left_amount
        from credits
        left join owing using (as_of_date, entity_id, customer_id, currency_code)
    ),

    netted as (
        select
            as_of_date,
            entity_id,
            customer_id,
            currency_code,
            scenario,
            week_number,
            case
                when credit_amount is null
                then amount
                else greatest(least(until_amount - credit_amount, amount), 0)
            end as amount
        from offset_weeks
        union all
        select
            left_over.as_of_date,
            left_over.entity_id,
            left_over.customer_id,
            left_over.currency_code,
            cases.scenario,
            horizon.last_week,
            - left_over.left_amount
        from left_over
        cross join horizon
        cross join
            (
                select 'early' as scenario
                union all
                select 'usual'
                union all
                select 'late'
            ) as cases
        where left_over.left_amount <> 0
    )

select
    as_of_date,
    entity_id,
    customer_id,
    currency_code,
    scenario,
    week_number,
    {{ money("sum(amount)") }} as amount
from netted
group by as_of_date, entity_id, customer_id, currency_code, scenario, week_number
