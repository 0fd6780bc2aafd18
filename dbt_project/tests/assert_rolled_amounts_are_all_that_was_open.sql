-- What left a bucket in a month is what stood in it, its ratios add up to one, and less than the aging of
-- that
-- month end says cannot have stood there (more can: documents paid too much are left out here and lower it).
{{ config(tags=["ties"]) }}

with
    rolled as (
        select
            month_end_date,
            entity_id,
            currency_code,
            from_bucket,
            max(from_amount) as from_amount,
            sum(rolled_amount) as rolled_amount,
            sum(roll_ratio) as ratio_sum
        from {{ ref("fct_roll_rates") }}
        group by month_end_date, entity_id, currency_code, from_bucket
    ),

    aged as (
        select
            pairs.month_end_date,
            buckets.entity_id,
            buckets.currency_code,
            buckets.aging_bucket,
            sum(buckets.open_amount) as aged_amount
        from {{ ref("int_month_ends_paired") }} as pairs
        inner join
            {{ ref("int_buckets_summed") }} as buckets on buckets.as_of_date = pairs.previous_month_end_date
        where not buckets.is_credit_memo
        group by pairs.month_end_date, buckets.entity_id, buckets.currency_code, buckets.aging_bucket
    )

select
    coalesce(rolled.month_end_date, aged.month_end_date) as month_end_date,
    coalesce(rolled.entity_id, aged.entity_id) as entity_id,
    coalesce(rolled.currency_code, aged.currency_code) as currency_code,
    coalesce(rolled.from_bucket, aged.aging_bucket) as from_bucket,
    aged.aged_amount,
    rolled.from_amount,
    rolled.rolled_amount,
    rolled.ratio_sum
from rolled
full outer join
    aged
    on aged.month_end_date = rolled.month_end_date
    and aged.entity_id = rolled.entity_id
    and aged.currency_code = rolled.currency_code
    and aged.aging_bucket = rolled.from_bucket
where
    coalesce(rolled.from_amount, 0) < coalesce(aged.aged_amount, 0)
    or rolled.from_amount <> rolled.rolled_amount
    or rolled.ratio_sum <> 1
