-- Early, middle and late days late of what a customer, a segment or the whole ledger settled. One row per
-- as_of_date, pool_type, pool_id. Quantiles by nearest rank: the fewest days that the policy's share of the
-- items, counted whole, stayed within. No interpolation: the days are days on which somebody did pay.
with
    days as (select * from {{ ref("int_days_late_pooled") }}),
    policy as (select * from {{ ref("stg_reporting_policy") }}),

    ranked as (
        select
            *,
            sum(item_count) over (
                partition by as_of_date, pool_type, pool_id
                order by days_late
                rows between unbounded preceding and current row
            ) as until_count,
            sum(item_count) over (partition by as_of_date, pool_type, pool_id) as settled_count
        from days
    )

select
    ranked.as_of_date,
    ranked.pool_type,
    ranked.pool_id,
    cast(max(ranked.settled_count) as bigint) as settled_count,
    min(
        case when ranked.until_count >= ranked.settled_count * policy.early_ratio then ranked.days_late end
    ) as early_days,
    min(case when ranked.until_count * 2 >= ranked.settled_count then ranked.days_late end) as middle_days,
    min(
        case when ranked.until_count >= ranked.settled_count * policy.late_ratio then ranked.days_late end
    ) as late_days
from ranked
cross join policy
group by ranked.as_of_date, ranked.pool_type, ranked.pool_id
