-- Documents of the receivables, dated up to the last run date, signed, with a due date. One row per
-- invoice_id.
with
    invoices as (select * from {{ ref("stg_invoices") }}),
    customers as (select * from {{ ref("stg_customers") }}),
    sources as (select * from {{ ref("stg_sources") }}),
    as_of_dates as (select * from {{ ref("stg_as_of_dates") }}),
    last_run as (select max(as_of_date) as as_of_date from as_of_dates where is_run_date),

    -- what falls due in parts is due as a whole with its last part
    last_installments as (
        select invoice_id, max(due_date) as due_date from {{ ref("stg_installments") }} group by invoice_id
    )

select
    invoices.invoice_id,
    invoices.entity_id,
    invoices.customer_id,
    invoices.invoice_number,
    invoices.document_type,
    invoices.order_id,
    invoices.po_number,
    invoices.currency_code,
    invoices._source as source,
    invoices._file_id as file_id,
    invoices._line as line,
    {{
        money(
            "case when invoices.document_type = 'credit_memo' then -invoices.invoice_amount"
            ~ " else invoices.invoice_amount end"
        )
    }} as invoice_amount,
    invoices.discount_ratio,
    coalesce(invoices.status, 'posted') = 'cancelled' as is_cancelled,
    last_installments.invoice_id is not null as has_installments,
    coalesce(sources.is_open_items_only, false) as is_open_items_only,
    invoices.invoice_date,
    invoices.discount_due_date,
    coalesce(
        last_installments.due_date,
        invoices.due_date,
        cast(
            {{
                dbt.dateadd(
                    "day",
                    "cast(coalesce(invoices.payment_terms_days, customers.payment_terms_days, 0) as integer)",
                    "invoices.invoice_date",
                )
            }} as date
        )
    ) as due_date,
    -- an extract of open amounts says nothing about the days before its balance date
    greatest(invoices.invoice_date, coalesce(sources.balance_date, invoices.invoice_date)) as counts_from_date
from invoices
cross join last_run
left join customers on customers.customer_id = invoices.customer_id
left join last_installments on last_installments.invoice_id = invoices.invoice_id
left join sources on sources.source = invoices._source and sources.is_open_items_only
where
    invoices.invoice_date <= last_run.as_of_date
    -- prepaid, cash-on-delivery and card sales are no receivables
    and coalesce(invoices.settlement, 'terms') = 'terms'
