-- Applications of ledger and engine with the document they settle and what pays. One row per application_id.
-- Applications to cancelled documents, and of cancelled credit memos, are left out: the money is there again,
-- the document is open again. One of a payment or to a document of a day after the last run date has not
-- happened yet, whatever its own date.
{{ config(materialized="table") }}

with
    documents as (select * from {{ ref("int_documents_dated") }}),
    -- read apart: what is read once is not kept in memory
    credit_memos as (select * from {{ ref("int_documents_dated") }} where document_type = 'credit_memo'),
    payments as (select * from {{ ref("int_payments_counted") }}),
    as_of_dates as (select * from {{ ref("stg_as_of_dates") }}),
    last_run as (select max(as_of_date) as as_of_date from as_of_dates where is_run_date),

    later_documents as (
        select invoices.invoice_id
        from {{ ref("stg_invoices") }} as invoices
        cross join last_run
        where invoices.invoice_date > last_run.as_of_date and coalesce(invoices.settlement, 'terms') = 'terms'
    ),

    later_payments as (
        select payments.payment_id
        from {{ ref("stg_payments") }} as payments
        cross join last_run
        where payments.value_date > last_run.as_of_date and coalesce(payments.settlement, 'terms') = 'terms'
    ),

    applications as (
        select applications.*
        from {{ ref("int_applications_typed") }} as applications
        left join later_documents on later_documents.invoice_id = applications.invoice_id
        left join later_documents as later_memos on later_memos.invoice_id = applications.credit_memo_id
        left join later_payments on later_payments.payment_id = applications.payment_id
        where
            later_documents.invoice_id is null
            and later_memos.invoice_id is null
            and later_payments.payment_id is null
    ),

    joined as (
        select
            applications.application_id,
            applications.payment_id,
            applications.credit_memo_id,
            applications.invoice_id,
            applications.reverses_application_id,
            coalesce(documents.customer_id, payments.customer_id, credit_memos.customer_id) as customer_id,
            coalesce(documents.entity_id, payments.entity_id, credit_memos.entity_id) as entity_id,
            coalesce(
                documents.currency_code, payments.currency_code, credit_memos.currency_code
            ) as currency_code,
            case
                when applications.settlement_type = 'credit_memo'
                then credit_memos.entity_id
                else payments.entity_id
            end as source_entity_id,
            case
                when applications.settlement_type = 'credit_memo'
                then credit_memos.currency_code
                else payments.currency_code
            end as source_currency_code,
            applications.application_type,
            applications.settlement_type,
            applications.rule,
            applications.explanation,
            applications.applied_by,
            applications.applied_amount,
            applications.score,
            documents.document_type,
            coalesce(documents.is_cancelled, false)
            or coalesce(credit_memos.is_cancelled, false) as is_cancelled,
            documents.invoice_id is not null as is_document_counted,
            payments.payment_id is not null as is_payment_counted,
            credit_memos.invoice_id is not null as is_credit_memo_counted,
            applications.application_date,
            greatest(
                applications.application_date,
                coalesce(payments.value_date, applications.application_date),
                coalesce(documents.counts_from_date, applications.application_date),
                coalesce(credit_memos.counts_from_date, applications.application_date)
            ) as effective_date,
            documents.invoice_date,
            documents.due_date
        from applications
        left join documents on documents.invoice_id = applications.invoice_id
        left join credit_memos on credit_memos.invoice_id = applications.credit_memo_id
        left join payments on payments.payment_id = applications.payment_id
    ),

    -- Net receivables move when only one side is seen, or when both stand in different entities or
    -- currencies.
    sided as (
        select
            *,
            is_document_counted
            and (
                source_entity_id is null
                or source_entity_id <> entity_id
                or source_currency_code <> currency_code
            ) as moves_document_side,
            source_entity_id is not null
            and (
                not is_document_counted
                or source_entity_id <> entity_id
                or source_currency_code <> currency_code
            ) as moves_source_side
        from joined
    )

select
    sided.application_id,
    sided.payment_id,
    sided.credit_memo_id,
    sided.invoice_id,
    sided.reverses_application_id,
    sided.customer_id,
    sided.entity_id,
    sided.currency_code,
    case when sided.moves_source_side then sided.source_entity_id end as source_entity_id,
    case when sided.moves_source_side then sided.source_currency_code end as source_currency_code,
    sided.application_type,
    sided.settlement_type,
    sided.rule,
    sided.explanation,
    sided.applied_by,
    {{ money("sided.applied_amount") }} as applied_amount,
    -- what is given up or discounted on a credit memo lowers what we owe, so it raises a negative amount
    {{
        money(
            "case when sided.document_type = 'credit_memo' and sided.settlement_type in ('discount', 'write_off')"
            ~ " then -sided.applied_amount else sided.applied_amount end"
        )
    }}
    as settled_amount,
    sided.score,
    {{ days_between("sided.invoice_date", "sided.effective_date") }} as days_to_pay,
    {{ days_between("sided.due_date", "sided.effective_date") }} as days_late,
    sided.is_document_counted,
    sided.is_payment_counted,
    sided.is_credit_memo_counted,
    sided.moves_document_side,
    sided.moves_source_side,
    sided.application_date,
    sided.effective_date
from sided
cross join last_run
where sided.effective_date <= last_run.as_of_date and not sided.is_cancelled
