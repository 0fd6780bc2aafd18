-- How late those pay who have not paid yet: of what a pool settled, the items that were later than an item
-- is today.
-- One row per as_of_date, pool_type, pool_id, days_past_due, for items whose usual day has gone by; no row
-- where
-- nobody ever paid later. The ledger has one for each such age, for customers who are later than they ever
-- were.
{{ config(materialized="table") }}

with
    days as (select * from {{ ref("int_days_late_pooled") }}),
    policy as (select * from {{ ref("stg_reporting_policy") }}),

    waited as (
        select distinct items.as_of_date, habits.basis, habits.pool_id, items.days_past_due
        from {{ ref("fct_open_items") }} as items
        inner join
            {{ ref("int_habits_chosen") }} as habits
            on habits.as_of_date = items.as_of_date
            and habits.customer_id = items.customer_id
            and habits.usual_days <= items.days_past_due
        cross join policy
        where
            items.document_type <> 'credit_memo'
            and items.open_amount > 0
            and items.days_past_due <= policy.doubtful_after_days
    ),

    pools as (
        select as_of_date, basis as pool_type, pool_id, days_past_due
        from waited
        where pool_id is not null
        union
        select as_of_date, 'ledger' as pool_type, '(all)' as pool_id, days_past_due
        from waited
    ),

    ranked as (
        select
            pools.*,
            days.days_late,
            sum(days.item_count) over (
                partition by pools.as_of_date, pools.pool_type, pools.pool_id, pools.days_past_due
                order by days.days_late
                rows between unbounded preceding and current row
            ) as until_count,
            sum(days.item_count) over (
                partition by pools.as_of_date, pools.pool_type, pools.pool_id, pools.days_past_due
            ) as later_count
        from pools
        inner join
            days
            on days.as_of_date = pools.as_of_date
            and days.pool_type = pools.pool_type
            and days.pool_id = pools.pool_id
            and days.days_late > pools.days_past_due
    )

select
    ranked.as_of_date,
    ranked.pool_type,
    ranked.pool_id,
    ranked.days_past_due,
    min(
        case when ranked.until_count >= ranked.later_count * policy.early_ratio then ranked.days_late end
    ) as early_days,
    min(case when ranked.until_count * 2 >= ranked.later_count then ranked.days_late end) as middle_days,
    min(
        case when ranked.until_count >= ranked.later_count * policy.late_ratio then ranked.days_late end
    ) as late_days
from ranked
cross join policy
group by ranked.as_of_date, ranked.pool_type, ranked.pool_id, ranked.days_past_due
