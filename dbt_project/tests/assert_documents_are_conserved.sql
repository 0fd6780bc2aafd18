-- Every document and payment that is dated by the last run date and settled on terms is published, once.
{{ config(tags=["ties"]) }}

with
    as_of_dates as (select * from {{ ref("stg_as_of_dates") }}),
    last_run as (select max(as_of_date) as as_of_date from as_of_dates where is_run_date),

    lines as (
        select
            'documents' as subject,
            invoices.entity_id,
            invoices.currency_code,
            invoices.invoice_amount as raw_amount,
            1 as raw_count,
            0 as mart_amount,
            0 as mart_count
        from {{ ref("stg_invoices") }} as invoices
        cross join last_run
        where
            invoices.invoice_date <= last_run.as_of_date and coalesce(invoices.settlement, 'terms') = 'terms'
        union all
        select 'documents', entity_id, currency_code, 0, 0, abs(invoice_amount), 1
        from {{ ref("fct_invoices") }}
        union all
        select 'payments', payments.entity_id, payments.currency_code, payments.payment_amount, 1, 0, 0
        from {{ ref("stg_payments") }} as payments
        cross join last_run
        where payments.value_date <= last_run.as_of_date and coalesce(payments.settlement, 'terms') = 'terms'
        union all
        select 'payments', entity_id, currency_code, 0, 0, payment_amount, 1
        from {{ ref("fct_payments") }}
    ),

    totals as (
        select
            subject,
            entity_id,
            currency_code,
            sum(raw_amount) as raw_amount,
            sum(mart_amount) as mart_amount,
            sum(raw_count) as raw_count,
            sum(mart_count) as mart_count
        from lines
        group by subject, entity_id, currency_code
    )

select *
from totals
where raw_amount <> mart_amount or raw_count <> mart_count
