-- Documents and what every recorded application and adjustment leaves of them, whatever its date. One row per
-- invoice_id.
with
    documents as (select * from {{ ref("int_documents_dated") }}),
    moved as (select * from {{ ref("int_documents_moved") }})

select
    documents.*,
    -- what is given up on a credit memo lowers what we owe, so it raises a negative amount
    {{
        money(
            "documents.invoice_amount - coalesce(moved.paid_amount, 0)"
            ~ " - case when documents.document_type = 'credit_memo' then -1 else 1 end"
            ~ " * coalesce(moved.given_up_amount, 0)"
        )
    }} as left_amount,
    coalesce(moved.last_moved_date, documents.counts_from_date) as last_moved_date
from documents
left join moved on moved.invoice_id = documents.invoice_id
