-- Open items by bucket on every date of the run. One row per as_of_date, entity_id, currency_code,
-- is_credit_memo, bucket_order, is_past_due. Credit memos have no bucket.
{{ config(materialized="table") }}

with
    items as (select * from {{ ref("int_items_standing") }}),
    aging_buckets as (select * from {{ ref("stg_aging_buckets") }})

select
    items.as_of_date,
    items.entity_id,
    items.currency_code,
    aging_buckets.aging_bucket,
    {{ money("sum(items.open_amount)") }} as open_amount,
    cast(sum(items.item_count) as bigint) as item_count,
    aging_buckets.bucket_order,
    items.document_type = 'credit_memo' as is_credit_memo,
    items.days_past_due >= 1 as is_past_due
from items
left join
    aging_buckets
    on items.document_type <> 'credit_memo'
    and items.days_past_due >= coalesce(aging_buckets.from_day, -999999)
    and items.days_past_due <= coalesce(aging_buckets.to_day, 999999)
group by
    items.as_of_date,
    items.entity_id,
    items.currency_code,
    aging_buckets.aging_bucket,
    aging_buckets.bucket_order,
    items.document_type = 'credit_memo',
    items.days_past_due >= 1
