-- What each customer owes by age, less credit memos and unapplied cash, on the run dates.
-- One row per as_of_date, entity_id, customer_id, currency_code. Money of unknown payers is under
-- (unidentified).
with
    items as (select * from {{ ref("fct_open_items") }}),
    aging_buckets as (select * from {{ ref("stg_aging_buckets") }}),
    unapplied_cash as (select * from {{ ref("int_unapplied_cash_dated") }} where is_run_date),

    lines as (
        select
            items.as_of_date,
            items.entity_id,
            items.customer_id,
            items.currency_code,
            aging_buckets.bucket_order,
            items.open_amount,
            items.disputed_amount,
            0 as unapplied_amount,
            items.days_past_due
        from items
        left join aging_buckets on aging_buckets.aging_bucket = items.aging_bucket
        union all
        select as_of_date, entity_id, customer_id, currency_code, null, 0, 0, unapplied_amount, null
        from unapplied_cash
    )

select
    as_of_date,
    entity_id,
    customer_id,
    currency_code,
    {{ money("sum(case when bucket_order = 1 then open_amount else 0 end)") }} as current_amount,
    {{ money("sum(case when bucket_order = 2 then open_amount else 0 end)") }} as past_due_1_30_amount,
    {{ money("sum(case when bucket_order = 3 then open_amount else 0 end)") }} as past_due_31_60_amount,
    {{ money("sum(case when bucket_order = 4 then open_amount else 0 end)") }} as past_due_61_90_amount,
    {{ money("sum(case when bucket_order = 5 then open_amount else 0 end)") }} as past_due_over_90_amount,
    {{ money("sum(case when bucket_order is not null then open_amount else 0 end)") }} as open_amount,
    {{ money("sum(case when bucket_order is null then -open_amount else 0 end)") }} as credit_memo_amount,
    {{ money("sum(unapplied_amount)") }} as unapplied_amount,
    {{ money("sum(open_amount) - sum(unapplied_amount)") }} as net_amount,
    {{ money("sum(disputed_amount)") }} as disputed_amount,
    -- null where nothing is past due
    max(
        case when bucket_order is not null and days_past_due >= 1 then days_past_due end
    ) as oldest_days_past_due
from lines
group by as_of_date, entity_id, customer_id, currency_code
