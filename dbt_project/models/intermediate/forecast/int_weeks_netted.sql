-- Expected cash by week, in each of three cases, cash of unknown payers taken off the earliest weeks of its
-- entity and
-- currency: it pays items that are still shown open. One row per as_of_date, entity_id, currency_code,
-- scenario,
-- week_number.
with
    weeks as (select * from {{ ref("int_weeks_expected") }}),
    horizon as (select max(week_number) as last_week from {{ ref("stg_forecast_weeks") }}),

    summed as (
        select
            as_of_date,
            entity_id,
            currency_code,
            scenario,
            week_number,
            sum(case when customer_id <> '(unidentified)' then amount else 0 end) as amount,
            sum(case when customer_id = '(unidentified)' then - amount else 0 end) as credit_amount
        from weeks
        group by as_of_date, entity_id, currency_code, scenario, week_number
    ),

    running as (
        select
            summed.*,
            summed.week_number = horizon.last_week as is_last,
            sum(summed.credit_amount) over (
                partition by summed.as_of_date, summed.entity_id, summed.currency_code, summed.scenario
            ) as total_credit,
            sum(case when summed.week_number < horizon.last_week then summed.amount else 0 end) over (
                partition by summed.as_of_date, summed.entity_id, summed.currency_code, summed.scenario
            ) as total_amount,
            sum(summed.amount) over (
                partition by summed.as_of_date, summed.entity_id, summed.currency_code, summed.scenario
                order by summed.week_number
                rows between unbounded preceding and current row
            ) as until_amount
        from summed
        cross join horizon
    )

select
    as_of_date,
    entity_id,
    currency_code,
    scenario,
    week_number,
    {{
        money(
            "case when is_last then amount - (total_credit - least(greatest(total_credit, 0), total_amount))"
            ~ " else greatest(least(until_amount - total_credit, amount), 0) end"
        )
    }} as amount
from running
