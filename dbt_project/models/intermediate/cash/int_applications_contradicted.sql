-- Applications of ours, recorded in earlier runs, that what came in since speaks against. One row per
-- application_id.
-- A table of the pass before cash is applied: what the run itself adds is not in it.
{{ config(materialized="table") }}

with
    as_of_dates as (select * from {{ ref("stg_as_of_dates") }}),
    last_run as (select max(as_of_date) as as_of_date from as_of_dates where is_run_date),
    documents as (select * from {{ ref("int_documents_reduced") }}),
    -- read apart: what is read once is not kept in memory
    credit_memos as (select * from {{ ref("int_documents_reduced") }} where document_type = 'credit_memo'),
    payments as (select * from {{ ref("int_payments_counted") }}),

    gone as (
        select reverses_application_id as application_id
        from {{ ref("stg_engine_applications") }}
        where reverses_application_id is not null
        union
        select application_id
        from {{ ref("int_applications_superseded") }}
    ),

    standing as (
        select engine.*
        from {{ ref("stg_engine_applications") }} as engine
        cross join last_run
        left join gone on gone.application_id = engine.application_id
        where
            engine.application_date <= last_run.as_of_date
            and engine.application_type <> 'reversal'
            and gone.application_id is null
    ),

    spent as (
        select payment_id, sum(applied_amount) as applied_amount
        from {{ ref("int_applications_typed") }}
        where settlement_type = 'payment'
        group by payment_id
    ),

    overspent as (
        select payments.payment_id
        from payments
        inner join spent on spent.payment_id = payments.payment_id
        where spent.applied_amount > payments.payment_amount and payments.payment_amount >= 0
    ),

    judged as (
        select
            standing.application_id,
            standing.payment_id,
            standing.invoice_id,
            standing.credit_memo_id,
            case
                when payments.payment_id is null
                then 'payment_missing'
                when documents.invoice_id is null
                then 'document_missing'
                when documents.is_cancelled
                then 'document_cancelled'
                when standing.application_type = 'credit_memo' and credit_memos.invoice_id is null
                then 'credit_memo_missing'
                when credit_memos.is_cancelled
                then 'credit_memo_cancelled'
                when
                    payments.entity_id <> documents.entity_id
                    or payments.currency_code <> documents.currency_code
                then 'document_elsewhere'
                when overspent.payment_id is not null
                then 'payment_overspent'
                when documents.left_amount < 0 and documents.document_type <> 'credit_memo'
                then 'document_overpaid'
                when credit_memos.left_amount > 0
                then 'credit_memo_overused'
            end as reason_code
        from standing
        left join payments on payments.payment_id = standing.payment_id
        left join documents on documents.invoice_id = standing.invoice_id
        left join credit_memos on credit_memos.invoice_id = standing.credit_memo_id
        left join overspent on overspent.payment_id = standing.payment_id
    )

select *
from judged
where reason_code is not null
