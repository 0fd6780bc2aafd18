-- Applications of ledger and engine with the document they settle and what pays. One row per application_id.
-- Applications to cancelled documents are left out: their money is there again.
{{ config(materialized="table") }}

with
    applications as (select * from {{ ref("int_applications_typed") }}),
    documents as (select * from {{ ref("int_documents_dated") }}),
    credit_memos as (select * from documents where document_type = 'credit_memo' and not is_cancelled),
    payments as (select * from {{ ref("int_payments_counted") }}),
    as_of_dates as (select * from {{ ref("stg_as_of_dates") }}),
    last_run as (select max(as_of_date) as as_of_date from as_of_dates where is_run_date),

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
            documents.is_cancelled,
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
    )

select
    joined.application_id,
    joined.payment_id,
    joined.credit_memo_id,
    joined.invoice_id,
    joined.reverses_application_id,
    joined.customer_id,
    joined.entity_id,
    joined.currency_code,
    joined.source_entity_id,
    joined.source_currency_code,
    joined.application_type,
    joined.settlement_type,
    joined.rule,
    joined.explanation,
    joined.applied_by,
    {{ money("joined.applied_amount") }} as applied_amount,
    {{ money("case when joined.application_type = 'discount' then joined.applied_amount else 0 end") }}
    as discount_amount,
    -- what is given up or discounted on a credit memo lowers what we owe, so it raises a negative amount
    {{
        money(
            "case when joined.document_type = 'credit_memo' and joined.settlement_type in ('discount', 'write_off')"
            ~ " then -joined.applied_amount else joined.applied_amount end"
        )
    }}
    as settled_amount,
    joined.score,
    {{ days_between("joined.invoice_date", "joined.effective_date") }} as days_to_pay,
    {{ days_between("joined.due_date", "joined.effective_date") }} as days_late,
    joined.is_document_counted,
    joined.is_payment_counted,
    joined.is_credit_memo_counted,
    joined.application_date,
    joined.effective_date
from joined
cross join last_run
where joined.effective_date <= last_run.as_of_date and not coalesce(joined.is_cancelled, false)
