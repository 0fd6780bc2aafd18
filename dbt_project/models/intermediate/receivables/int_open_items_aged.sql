-- Open documents or instalments and their age, on every date of the run. One row per as_of_date, invoice_id,
-- installment_number.
with
    as_of_dates as (select * from {{ ref("stg_as_of_dates") }}),
    balances as (select * from {{ ref("int_balances_dated") }}),
    installments as (select * from {{ ref("int_installments_ranged") }}),
    aging_buckets as (select * from {{ ref("stg_aging_buckets") }}),

    standing as (
        select as_of_dates.as_of_date, as_of_dates.is_run_date, balances.*
        from as_of_dates
        inner join
            balances
            on balances.from_date <= as_of_dates.as_of_date
            and balances.before_date > as_of_dates.as_of_date
    ),

    -- the earliest instalment takes what the later ones leave, and all of what was paid too much
    split as (
        select
            standing.*,
            cast(1 as bigint) as installment_number,
            standing.balance_amount as item_amount,
            standing.due_date as item_due_date
        from standing
        where not standing.has_installments
        union all
        select
            standing.*,
            installments.installment_number,
            {{ part_still_open("standing.balance_amount", "installments") }} as item_amount,
            installments.due_date as item_due_date
        from standing
        inner join installments on installments.invoice_id = standing.invoice_id
        where standing.has_installments
    ),

    aged as (
        select *, {{ days_between("item_due_date", "as_of_date") }} as days_past_due
        from split
        where item_amount <> 0
    )

select
    aged.as_of_date,
    aged.is_run_date,
    aged.entity_id,
    aged.customer_id,
    aged.invoice_id,
    aged.installment_number,
    aged.invoice_number,
    aged.document_type,
    aged.order_id,
    aged.po_number,
    aged.currency_code,
    aging_buckets.aging_bucket,
    aged.invoice_amount,
    {{ money("aged.item_amount") }} as open_amount,
    aged.days_past_due,
    aging_buckets.bucket_order,
    aged.has_installments,
    aged.invoice_date,
    aged.item_due_date as due_date
from aged
left join
    aging_buckets
    on aged.document_type <> 'credit_memo'
    and aged.days_past_due >= coalesce(aging_buckets.from_day, -999999)
    and aged.days_past_due <= coalesce(aging_buckets.to_day, 999999)
