-- Where open debit items of one month end stand on the next. No key: sides of a sum, two rows may differ in
-- nothing. A balance that stood on both days, what is left of one that ended, what was given up of it, and
-- the rest, which was paid or credited.
with
    pairs as (select * from {{ ref("int_month_ends_paired") }}),
    aging_buckets as (select * from {{ ref("stg_aging_buckets") }}),

    rolled as (
        select
            pairs.month_end_date,
            balances.entity_id,
            balances.currency_code,
            balances.balance_amount as from_amount,
            case
                when balances.before_month_end_date > pairs.month_end_date
                then balances.balance_amount
                else balances.left_amount
            end as left_amount,
            case
                when balances.before_month_end_date > pairs.month_end_date
                then 0
                else balances.written_off_amount
            end as written_off_amount,
            {{ days_between("balances.due_date", "pairs.previous_month_end_date") }} as days_past_due_then,
            {{ days_between("balances.due_date", "pairs.month_end_date") }} as days_past_due_now
        from pairs
        inner join
            {{ ref("int_balances_rolled") }} as balances
            on balances.first_month_end_date <= pairs.previous_month_end_date
            and balances.before_month_end_date >= pairs.month_end_date
    ),

    bucketed as (
        select
            rolled.month_end_date,
            rolled.entity_id,
            rolled.currency_code,
            thens.aging_bucket as from_bucket,
            nows.aging_bucket as to_bucket,
            rolled.from_amount,
            rolled.left_amount,
            rolled.written_off_amount
        from rolled
        inner join
            aging_buckets as thens
            on rolled.days_past_due_then >= coalesce(thens.from_day, -999999)
            and rolled.days_past_due_then <= coalesce(thens.to_day, 999999)
        inner join
            aging_buckets as nows
            on rolled.days_past_due_now >= coalesce(nows.from_day, -999999)
            and rolled.days_past_due_now <= coalesce(nows.to_day, 999999)
        union all
        select
            month_end_date,
            entity_id,
            currency_code,
            from_bucket,
            to_bucket,
            from_amount,
            left_amount,
            written_off_amount
        from {{ ref("int_installments_rolled") }}
    )

select month_end_date, entity_id, currency_code, from_bucket, to_bucket, left_amount as rolled_amount
from bucketed
where left_amount <> 0
union all
select month_end_date, entity_id, currency_code, from_bucket, 'written_off', written_off_amount
from bucketed
where written_off_amount <> 0
union all
select
    month_end_date,
    entity_id,
    currency_code,
    from_bucket,
    'paid',
    from_amount - left_amount - written_off_amount
from bucketed
where from_amount <> left_amount + written_off_amount
