-- What lowers the open amount of a document, and from when. One row per side of an application or adjustment.
-- Amounts are signed like the document: a credit memo that pays is moved by a negative amount.
with
    adjustments as (select * from {{ ref("stg_adjustments") }}),
    documents as (select * from {{ ref("int_documents_dated") }} where not is_cancelled),
    as_of_dates as (select * from {{ ref("stg_as_of_dates") }}),
    last_run as (select max(as_of_date) as as_of_date from as_of_dates where is_run_date),

    adjusted as (
        select
            adjustments.invoice_id,
            documents.entity_id,
            documents.currency_code,
            case
                when adjustments.adjustment_type = 'write_off' then 'write_off' else 'adjustment'
            end as movement_type,
            {{
                money(
                    "case when documents.document_type = 'credit_memo'"
                    ~ " then -adjustments.adjustment_amount else adjustments.adjustment_amount end"
                )
            }} as moved_amount,
            greatest(adjustments.adjustment_date, documents.counts_from_date) as effective_date
        from adjustments
        inner join documents on documents.invoice_id = adjustments.invoice_id
    )

select
    invoice_id,
    entity_id,
    currency_code,
    settlement_type as movement_type,
    settled_amount as moved_amount,
    effective_date
from {{ ref("int_applications_unioned") }}
where is_document_counted
union all
select
    credit_memo_id as invoice_id,
    coalesce(source_entity_id, entity_id) as entity_id,
    coalesce(source_currency_code, currency_code) as currency_code,
    'credit_memo' as movement_type,
    {{ money("-applied_amount") }} as moved_amount,
    effective_date
from {{ ref("int_applications_unioned") }}
where is_credit_memo_counted and settlement_type = 'credit_memo'
union all
select
    adjusted.invoice_id,
    adjusted.entity_id,
    adjusted.currency_code,
    adjusted.movement_type,
    adjusted.moved_amount,
    adjusted.effective_date
from adjusted
cross join last_run
where adjusted.effective_date <= last_run.as_of_date
