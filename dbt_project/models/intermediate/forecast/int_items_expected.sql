-- In which week of the forecast each part of an open debit item is expected: usually, early and late. One
-- row per
-- as_of_date, invoice_id, installment_number, part, promise_id. promised: on the promised date, in all
-- three cases.
-- habitual: due date and habit; once that day has gone by, when those paid who had not paid by then (of the
-- same
-- pool, else of the ledger), and where nobody ever paid so late, the policy's wait (twice the wait in the
-- late case).
-- disputed, and doubtful (past due for too long or of an insolvent customer): after the horizon. The last
-- week stands
-- for all that comes later. Early is never later than usual, late never earlier.
{{ config(materialized="table") }}

with
    items as (
        select * from {{ ref("fct_open_items") }} where document_type <> 'credit_memo' and open_amount > 0
    ),
    promises as (select * from {{ ref("int_promises_allocated") }}),
    habits as (select * from {{ ref("int_habits_chosen") }}),
    remaining as (select * from {{ ref("int_habits_remaining") }}),
    profiles as (select as_of_date, customer_id, status from {{ ref("int_customers_profiled") }}),
    policy as (select * from {{ ref("stg_reporting_policy") }}),
    horizon as (select max(week_number) as last_week from {{ ref("stg_forecast_weeks") }}),

    covered as (
        select as_of_date, invoice_id, installment_number, sum(covered_amount) as covered_amount
        from promises
        group by as_of_date, invoice_id, installment_number
    ),

    -- days from the as-of date on; the first that can be expected is the day after it
    timed as (
        select
            items.*,
            items.open_amount
            - items.disputed_amount
            - coalesce(covered.covered_amount, 0) as habitual_amount,
            items.days_past_due > policy.doubtful_after_days
            or coalesce(profiles.status = 'insolvent', false) as is_doubtful,
            coalesce(habits.basis, 'terms') as basis,
            coalesce(habits.usual_days, 0) > items.days_past_due as is_ahead,
            coalesce(habits.early_days, 0) - items.days_past_due as early_in,
            coalesce(habits.usual_days, 0) - items.days_past_due as usual_in,
            coalesce(habits.late_days, 0) - items.days_past_due as late_in,
            coalesce(pools.early_days, ledgers.early_days) - items.days_past_due as left_early_in,
            coalesce(pools.middle_days, ledgers.middle_days) - items.days_past_due as left_middle_in,
            coalesce(pools.late_days, ledgers.late_days) - items.days_past_due as left_late_in,
            policy.overdue_wait_days as wait_days
        from items
        cross join policy
        left join
            covered
            on covered.as_of_date = items.as_of_date
            and covered.invoice_id = items.invoice_id
            and covered.installment_number = items.installment_number
        left join habits on habits.as_of_date = items.as_of_date and habits.customer_id = items.customer_id
        left join
            remaining as pools
            on pools.as_of_date = items.as_of_date
            and pools.pool_type = habits.basis
            and pools.pool_id = habits.pool_id
            and pools.days_past_due = items.days_past_due
        left join
            remaining as ledgers
            on ledgers.as_of_date = items.as_of_date
            and ledgers.pool_type = 'ledger'
            and ledgers.days_past_due = items.days_past_due
        left join
            profiles on profiles.as_of_date = items.as_of_date and profiles.customer_id = items.customer_id
    ),

    parts as (
        select
            *,
            case when is_doubtful then 'doubtful' else 'habitual' end as part,
            cast(null as {{ dbt.type_string() }}) as promise_id,
            habitual_amount as part_amount,
            case
                when is_ahead then greatest(early_in, 1) else coalesce(left_early_in, wait_days)
            end as early_day,
            case when is_ahead then usual_in else coalesce(left_middle_in, wait_days) end as usual_day,
            case when is_ahead then late_in else coalesce(left_late_in, 2 * wait_days) end as late_day
        from timed
        where habitual_amount > 0
        union all
        select *, 'disputed', null, disputed_amount, 1, 1, 1
        from timed
        where disputed_amount > 0
        union all
        select
            timed.*,
            'promised',
            promises.promise_id,
            promises.covered_amount,
            greatest({{ days_between("timed.as_of_date", "promises.promised_date") }}, 1),
            greatest({{ days_between("timed.as_of_date", "promises.promised_date") }}, 1),
            greatest({{ days_between("timed.as_of_date", "promises.promised_date") }}, 1)
        from timed
        inner join
            promises
            on promises.as_of_date = timed.as_of_date
            and promises.invoice_id = timed.invoice_id
            and promises.installment_number = timed.installment_number
    ),

    -- weeks begin on Monday, the first with the one that holds the day after the as-of date
    counted as (
        select
            parts.*,
            {{
                days_between(
                    dbt.date_trunc("week", dbt.dateadd("day", 1, "parts.as_of_date")), "parts.as_of_date"
                )
            }} as days_into_week,
            horizon.last_week,
            parts.part in ('disputed', 'doubtful') as is_beyond
        from parts
        cross join horizon
    )

select
    as_of_date,
    entity_id,
    customer_id,
    invoice_id,
    installment_number,
    currency_code,
    part,
    promise_id,
    basis,
    {{ money("part_amount") }} as part_amount,
    case
        when is_beyond
        then last_week
        else least(divide(days_into_week + least(early_day, usual_day), 7) + 1, last_week)
    end as early_week,
    case
        when is_beyond then last_week else least(divide(days_into_week + usual_day, 7) + 1, last_week)
    end as usual_week,
    case
        when is_beyond
        then last_week
        else least(divide(days_into_week + greatest(late_day, usual_day), 7) + 1, last_week)
    end as late_week
from counted
