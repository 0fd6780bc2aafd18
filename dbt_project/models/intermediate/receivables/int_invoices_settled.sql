-- Documents and how far they are settled on the last run date. One row per invoice_id.
{{ config(materialized="table") }}

with
    documents as (select * from {{ ref("int_documents_dated") }}),

    settled as (
        select
            invoice_id,
            sum(case when movement_type = 'write_off' then moved_amount else 0 end) as written_off_amount,
            sum(case when movement_type = 'adjustment' then moved_amount else 0 end) as adjusted_amount,
            sum(moved_amount) as moved_amount,
            min(effective_date) as first_moved_date,
            max(effective_date) as last_moved_date
        from {{ ref("int_movements_dated") }}
        group by invoice_id
        -- True of all: told so, the planner takes these for fewer than the documents. Else it keeps the wide
        -- rows of those in memory for the join below.
        having count(*) > 0
    ),

    summed as (
        select
            documents.invoice_id,
            documents.entity_id,
            documents.customer_id,
            documents.invoice_number,
            documents.document_type,
            documents.order_id,
            documents.po_number,
            documents.currency_code,
            documents.source,
            documents.file_id,
            documents.line,
            documents.invoice_amount,
            {{
                money(
                    "coalesce(settled.moved_amount - settled.written_off_amount - settled.adjusted_amount, 0)"
                )
            }} as applied_amount,
            {{ money("coalesce(settled.written_off_amount, 0)") }} as written_off_amount,
            {{ money("coalesce(settled.adjusted_amount, 0)") }} as adjusted_amount,
            {{
                money(
                    "case when documents.is_cancelled then 0"
                    ~ " else documents.invoice_amount - coalesce(settled.moved_amount, 0) end"
                )
            }} as open_amount,
            documents.is_cancelled,
            documents.has_installments,
            documents.is_open_items_only,
            documents.invoice_date,
            documents.due_date,
            documents.counts_from_date,
            settled.first_moved_date,
            settled.last_moved_date
        from documents
        left join settled on settled.invoice_id = documents.invoice_id
    )

select
    *,
    case
        when is_cancelled
        then 'cancelled'
        when open_amount <> 0
        then case when open_amount = invoice_amount then 'open' else 'partly_paid' end
        -- a residue given up does not make a paid document a written-off one
        when abs(written_off_amount) > abs(applied_amount)
        then 'written_off'
        else 'paid'
    end as status,
    case
        when open_amount = 0 and not is_cancelled then coalesce(last_moved_date, counts_from_date)
    end as settled_date
from summed
