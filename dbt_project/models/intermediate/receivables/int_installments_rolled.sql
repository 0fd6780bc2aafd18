-- Instalments open on a month end, and what is left of each on the next. One row per month_end_date,
-- invoice_id, installment_number. What was given up of a document is taken off the parts due first.
with
    pairs as (select * from {{ ref("int_month_ends_paired") }}),
    write_offs as (select * from {{ ref("int_write_offs_monthly") }}),

    items as (
        select *
        from {{ ref("int_open_items_aged") }}
        where has_installments and document_type <> 'credit_memo' and open_amount > 0
    ),

    rolled as (
        select
            pairs.month_end_date,
            then_open.invoice_id,
            then_open.installment_number,
            then_open.entity_id,
            then_open.currency_code,
            then_open.aging_bucket as from_bucket,
            now_open.aging_bucket as to_bucket,
            then_open.open_amount as from_amount,
            least(then_open.open_amount, coalesce(now_open.open_amount, 0)) as left_amount,
            coalesce(write_offs.written_off_amount, 0) as document_written_off_amount,
            then_open.due_date
        from pairs
        inner join items as then_open on then_open.as_of_date = pairs.previous_month_end_date
        left join
            items as now_open
            on now_open.as_of_date = pairs.month_end_date
            and now_open.invoice_id = then_open.invoice_id
            and now_open.installment_number = then_open.installment_number
        left join
            write_offs
            on write_offs.invoice_id = then_open.invoice_id
            and write_offs.month_end_date = pairs.month_end_date
    ),

    spread as (
        select
            *,
            document_written_off_amount - sum(from_amount - left_amount) over (
                partition by month_end_date, invoice_id
                order by due_date, installment_number
                rows between unbounded preceding and current row
            )
            + (from_amount - left_amount) as unspread_amount
        from rolled
    )

select
    month_end_date,
    invoice_id,
    installment_number,
    entity_id,
    currency_code,
    from_bucket,
    to_bucket,
    {{ money("from_amount") }} as from_amount,
    {{ money("left_amount") }} as left_amount,
    {{ money("greatest(least(unspread_amount, from_amount - left_amount), 0)") }} as written_off_amount
from spread
