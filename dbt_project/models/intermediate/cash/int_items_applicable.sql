-- Invoices and debit memos still open after every recorded application. One row per invoice_id.
with
    documents as (
        select *
        from {{ ref("int_documents_dated") }}
        where document_type <> 'credit_memo' and not is_cancelled
    ),

    reductions as (
        select invoice_id, applied_amount as reduced_amount
        from {{ ref("int_applications_recorded") }}
        union all
        select invoice_id, adjustment_amount as reduced_amount
        from {{ ref("stg_adjustments") }}
    ),

    reduced as (select invoice_id, sum(reduced_amount) as reduced_amount from reductions group by invoice_id)

select
    documents.invoice_id,
    documents.entity_id,
    documents.customer_id,
    documents.invoice_number,
    documents.currency_code,
    {{ money("documents.invoice_amount - coalesce(reduced.reduced_amount, 0)") }} as open_amount,
    documents.invoice_date,
    documents.due_date
from documents
left join reduced on reduced.invoice_id = documents.invoice_id
where documents.invoice_amount > coalesce(reduced.reduced_amount, 0)
