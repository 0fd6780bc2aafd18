-- Adjustments of documents up to the last run date, and from when each counts. One row per adjustment_id.
-- moved_amount is signed like the document: what lowers what we owe on a credit memo is negative.
with
    adjustments as (select * from {{ ref("stg_adjustments") }}),
    documents as (select * from {{ ref("int_documents_dated") }} where not is_cancelled),
    as_of_dates as (select * from {{ ref("stg_as_of_dates") }}),
    last_run as (select max(as_of_date) as as_of_date from as_of_dates where is_run_date),

    adjusted as (
        select
            adjustments.adjustment_id,
            adjustments.invoice_id,
            documents.entity_id,
            documents.customer_id,
            documents.currency_code,
            adjustments.adjustment_type,
            adjustments.reason,
            {{
                money(
                    "case when documents.document_type = 'credit_memo'"
                    ~ " then -adjustments.adjustment_amount else adjustments.adjustment_amount end"
                )
            }} as moved_amount,
            adjustments.adjustment_date,
            greatest(adjustments.adjustment_date, documents.counts_from_date) as effective_date
        from adjustments
        inner join documents on documents.invoice_id = adjustments.invoice_id
    )

select adjusted.*
from adjusted
cross join last_run
where adjusted.effective_date <= last_run.as_of_date
