-- Documents and what every recorded application and adjustment leaves of them, whatever its date. One row per
-- invoice_id.
with
    documents as (select * from {{ ref("int_documents_dated") }}),

    movements as (
        select
            invoice_id,
            applied_amount as moved_amount,
            settlement_type in ('discount', 'write_off') as is_given_up,
            application_date as moved_date
        from {{ ref("int_applications_typed") }}
        union all
        select credit_memo_id, - applied_amount, false, application_date
        from {{ ref("int_applications_typed") }}
        where settlement_type = 'credit_memo' and credit_memo_id is not null
        union all
        select invoice_id, adjustment_amount, true, adjustment_date
        from {{ ref("stg_adjustments") }}
    ),

    moved as (
        select
            invoice_id,
            sum(case when is_given_up then 0 else moved_amount end) as paid_amount,
            sum(case when is_given_up then moved_amount else 0 end) as given_up_amount,
            max(moved_date) as last_moved_date
        from movements
        group by invoice_id
    )

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
