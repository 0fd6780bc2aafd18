-- Open debit items by bucket and what the policy's loss ratios expect to lose of them. One row per
-- as_of_date, entity_id, currency_code, aging_bucket: every bucket of a ledger that has any.
with
    buckets as (select * from {{ ref("int_buckets_summed") }} where not is_credit_memo),
    aging_buckets as (select * from {{ ref("stg_aging_buckets") }}),
    loss_ratios as (select * from {{ ref("stg_loss_ratios") }}),
    currencies as (select * from {{ ref("stg_currencies") }}),

    ledgers as (
        select as_of_date, entity_id, currency_code from buckets group by as_of_date, entity_id, currency_code
    ),

    summed as (
        select as_of_date, entity_id, currency_code, bucket_order, sum(open_amount) as open_amount
        from buckets
        group by as_of_date, entity_id, currency_code, bucket_order
    )

select
    ledgers.as_of_date,
    ledgers.entity_id,
    ledgers.currency_code,
    aging_buckets.aging_bucket,
    {{ money("coalesce(summed.open_amount, 0)") }} as open_amount,
    {{ ratio("loss_ratios.loss_numerator", "loss_ratios.loss_denominator") }} as loss_ratio,
    loss_ratios.forward_factor,
    -- nothing is lost of what was paid too much
    {{
        rounded_share(
            "greatest(coalesce(summed.open_amount, 0), 0)",
            "loss_ratios.loss_numerator * cast(loss_ratios.forward_factor * 1000000 as bigint)",
            "loss_ratios.loss_denominator * 1000000",
            "currencies.minor_units",
        )
    }} as allowance_amount,
    aging_buckets.bucket_order
from ledgers
cross join aging_buckets
inner join loss_ratios on loss_ratios.aging_bucket = aging_buckets.aging_bucket
left join
    summed
    on summed.as_of_date = ledgers.as_of_date
    and summed.entity_id = ledgers.entity_id
    and summed.currency_code = ledgers.currency_code
    and summed.bucket_order = aging_buckets.bucket_order
left join currencies on currencies.currency_code = ledgers.currency_code
