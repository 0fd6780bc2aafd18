-- Where the open debit items of a month end stand on the next one. One row per month_end_date, entity_id,
-- currency_code, from_bucket, to_bucket. to_bucket is a bucket, paid or written_off. Ratios of a from_bucket
-- add up to 1: each is cut after six decimals and the rest goes to the largest remainders.
with
    rolls as (select * from {{ ref("int_rolls_listed") }}),
    aging_buckets as (select * from {{ ref("stg_aging_buckets") }}),

    summed as (
        select
            month_end_date,
            entity_id,
            currency_code,
            from_bucket,
            to_bucket,
            {{ money("sum(rolled_amount)") }} as rolled_amount
        from rolls
        group by month_end_date, entity_id, currency_code, from_bucket, to_bucket
    ),

    -- in whole ten-thousandths, so that quotient and remainder are exact
    shared as (
        select
            summed.*,
            {{ money("sum(rolled_amount) over row_of_matrix") }} as from_amount,
            cast(cast(rolled_amount * 10000 as decimal(38, 0)) as hugeint) * 1000000 as share_numerator,
            cast(
                cast(sum(rolled_amount) over row_of_matrix * 10000 as decimal(38, 0)) as hugeint
            ) as share_denominator
        from summed
        window row_of_matrix as (partition by month_end_date, entity_id, currency_code, from_bucket)
    ),

    cut as (
        select
            *,
            divide(share_numerator, share_denominator) as share_units,
            share_numerator % share_denominator as share_remainder
        from shared
    ),

    ranked as (
        select
            *,
            row_number() over (
                partition by month_end_date, entity_id, currency_code, from_bucket
                order by share_remainder desc, to_bucket
            ) as remainder_rank,
            1000000 - sum(share_units) over (
                partition by month_end_date, entity_id, currency_code, from_bucket
            ) as left_units
        from cut
    )

select
    ranked.month_end_date,
    ranked.entity_id,
    ranked.currency_code,
    ranked.from_bucket,
    ranked.to_bucket,
    ranked.from_amount,
    ranked.rolled_amount,
    cast(
        cast(
            ranked.share_units
            + case when ranked.remainder_rank <= ranked.left_units then 1 else 0 end as decimal(18, 0)
        )
        * cast(0.000001 as decimal(6, 6)) as decimal(18, 6)
    ) as roll_ratio,
    aging_buckets.bucket_order as from_bucket_order
from ranked
inner join aging_buckets on aging_buckets.aging_bucket = ranked.from_bucket
