-- Every recorded application is published once, but for those that count later and those to cancelled
-- documents or of cancelled credit memos: joins to documents, credit memos and payments neither lose nor
-- double one.
{{ config(tags=["ties"]) }}

with
    as_of_dates as (select * from {{ ref("stg_as_of_dates") }}),
    last_run as (select max(as_of_date) as as_of_date from as_of_dates where is_run_date),

    -- an application may be dated before its payment or document: it counts when both are there
    left_out_documents as (
        select invoice_id
        from {{ ref("int_documents_dated") }}
        where is_cancelled
        union
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

    recorded as (
        select applications.application_type, applications.applied_amount
        from {{ ref("int_applications_typed") }} as applications
        inner join last_run on last_run.as_of_date >= applications.application_date
        left join left_out_documents as documents on documents.invoice_id = applications.invoice_id
        left join left_out_documents as credit_memos on credit_memos.invoice_id = applications.credit_memo_id
        left join later_payments on later_payments.payment_id = applications.payment_id
        where
            documents.invoice_id is null
            and credit_memos.invoice_id is null
            and later_payments.payment_id is null
    ),

    lines as (
        select
            application_type,
            applied_amount as recorded_amount,
            1 as recorded_count,
            0 as published_amount,
            0 as published_count
        from recorded
        union all
        select application_type, 0, 0, applied_amount, 1
        from {{ ref("fct_payment_applications") }}
    )

select
    application_type,
    sum(recorded_amount) as recorded_amount,
    sum(published_amount) as published_amount,
    sum(recorded_count) as recorded_count,
    sum(published_count) as published_count
from lines
group by application_type
having sum(recorded_amount) <> sum(published_amount) or sum(recorded_count) <> sum(published_count)
