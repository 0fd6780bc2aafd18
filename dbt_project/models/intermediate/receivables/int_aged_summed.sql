-- Open, current and past-due amounts on every date of the run. One row per as_of_date, entity_id,
-- currency_code.
-- Entity ALL is in group currency, at the rate of the date; unrated_count says how many of its parts have
-- no rate.
{{ config(materialized="table") }}

with
    by_bucket as (select * from {{ ref("int_buckets_summed") }}),
    rates as (select * from {{ ref("int_fx_rates_effective") }}),
    controls as (select * from {{ ref("stg_controls") }}),
    currencies as (select * from {{ ref("stg_currencies") }}),
    oldest as (select max(bucket_order) as bucket_order from {{ ref("stg_aging_buckets") }}),

    by_currency as (
        select
            by_bucket.as_of_date,
            by_bucket.entity_id,
            by_bucket.currency_code,
            sum(case when not is_credit_memo then open_amount else 0 end) as open_amount,
            sum(case when is_credit_memo then - open_amount else 0 end) as credit_memo_amount,
            sum(case when by_bucket.bucket_order = 1 then open_amount else 0 end) as current_amount,
            sum(case when not is_credit_memo and is_past_due then open_amount else 0 end) as past_due_amount,
            sum(
                case when by_bucket.bucket_order = oldest.bucket_order then open_amount else 0 end
            ) as oldest_bucket_amount,
            sum(case when not is_credit_memo then item_count else 0 end) as item_count,
            sum(
                case when not is_credit_memo and is_past_due then item_count else 0 end
            ) as past_due_item_count
        from by_bucket
        cross join oldest
        group by by_bucket.as_of_date, by_bucket.entity_id, by_bucket.currency_code
    ),

    converted as (
        select
            by_currency.as_of_date,
            sum(by_currency.open_amount * rates.rate) as open_amount,
            sum(by_currency.credit_memo_amount * rates.rate) as credit_memo_amount,
            sum(by_currency.current_amount * rates.rate) as current_amount,
            sum(by_currency.past_due_amount * rates.rate) as past_due_amount,
            sum(by_currency.oldest_bucket_amount * rates.rate) as oldest_bucket_amount,
            sum(by_currency.item_count) as item_count,
            sum(by_currency.past_due_item_count) as past_due_item_count,
            count(*) - count(rates.rate) as unrated_count
        from by_currency
        left join
            rates
            on rates.as_of_date = by_currency.as_of_date
            and rates.currency_code = by_currency.currency_code
        group by by_currency.as_of_date
    )

select
    as_of_date,
    entity_id,
    currency_code,
    {{ money("open_amount") }} as open_amount,
    {{ money("credit_memo_amount") }} as credit_memo_amount,
    {{ money("current_amount") }} as current_amount,
    {{ money("past_due_amount") }} as past_due_amount,
    {{ money("oldest_bucket_amount") }} as oldest_bucket_amount,
    cast(item_count as bigint) as item_count,
    cast(past_due_item_count as bigint) as past_due_item_count,
    cast(0 as bigint) as unrated_count
from by_currency
union all
select
    converted.as_of_date,
    'ALL' as entity_id,
    controls.group_currency_code as currency_code,
    {{ rounded("converted.open_amount", "currencies.minor_units") }} as open_amount,
    {{ rounded("converted.credit_memo_amount", "currencies.minor_units") }} as credit_memo_amount,
    {{ rounded("converted.current_amount", "currencies.minor_units") }} as current_amount,
    {{ rounded("converted.past_due_amount", "currencies.minor_units") }} as past_due_amount,
    {{ rounded("converted.oldest_bucket_amount", "currencies.minor_units") }} as oldest_bucket_amount,
    cast(converted.item_count as bigint) as item_count,
    cast(converted.past_due_item_count as bigint) as past_due_item_count,
    cast(converted.unrated_count as bigint) as unrated_count
from converted
cross join controls
left join currencies on currencies.currency_code = controls.group_currency_code
