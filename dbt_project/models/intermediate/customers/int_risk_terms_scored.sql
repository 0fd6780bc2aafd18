-- The terms of the risk score. One row per as_of_date, customer_id, term. value is what was measured,
-- between 0 and its cap, as a fraction of the cap; contribution is weight x value. A term without
-- anything to measure is missing and contributes 0: nothing settled (in either part of the year for the
-- trend), nothing open, no limit, currencies that cannot be summed, no promise or payment in any source.
with
    habits as (select * from {{ ref("int_habits_gathered") }}),
    policy as (select * from {{ ref("stg_segment_policy") }}),
    recorded as (
        select
            exists (select 1 from {{ ref("stg_promises") }}) as has_promises,
            exists (select 1 from {{ ref("stg_payments") }}) as has_payments
    ),

    -- days have six decimals, of which a ratio takes four: they and their cap are counted in hundredths
    measured as (
        select
            as_of_date,
            customer_id,
            'days_late' as term,
            cast(1 as bigint) as term_order,
            weight_days_late as weight,
            cast(weighted_days_late * 100 as decimal(18, 4)) as measured,
            cast(days_late_cap * 100 as decimal(18, 4)) as cap
        from habits
        cross join policy
        union all
        select as_of_date, customer_id, 'past_due_share', 2, weight_past_due, past_due_amount, open_amount
        from habits
        cross join policy
        union all
        select
            as_of_date,
            customer_id,
            'trend',
            3,
            weight_trend,
            cast(
                cast(weighted_days_late_last_90_days - weighted_days_late_previous_275_days as decimal(18, 6))
                * 100 as decimal(18, 4)
            ),
            cast(trend_cap * 100 as decimal(18, 4))
        from habits
        cross join policy
        union all
        select
            as_of_date,
            customer_id,
            'broken_promises',
            4,
            weight_broken_promises,
            case when has_promises then broken_promise_count end,
            broken_promise_cap
        from habits
        cross join policy
        cross join recorded
        union all
        select
            as_of_date,
            customer_id,
            'returned_payments',
            5,
            weight_returned_payments,
            case when has_payments then returned_payment_count end,
            returned_payment_cap
        from habits
        cross join policy
        cross join recorded
        -- any exposure uses up a limit of zero
        union all
        select
            as_of_date,
            customer_id,
            'utilisation',
            6,
            weight_utilisation,
            exposure_amount,
            case
                when exposure_limit_amount = 0
                then greatest(exposure_amount, 0.0001)
                else exposure_limit_amount
            end
        from habits
        cross join policy
    ),

    -- least and greatest would take a bound for what is not known
    valued as (
        select
            as_of_date,
            customer_id,
            term,
            term_order,
            weight,
            case
                when measured is not null then {{ ratio("least(greatest(measured, 0), cap)", "cap") }}
            end as value
        from measured
    )

select
    as_of_date,
    customer_id,
    term,
    term_order,
    cast(weight as decimal(18, 6)) as weight,
    value,
    cast(coalesce(weight * value, 0) as decimal(18, 6)) as contribution,
    value is null as is_missing
from valued
