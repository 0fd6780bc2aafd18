-- Documents of the receivables and how far they are settled on the last run date. One row per invoice_id.
-- A view: the rows stand in int_invoices_settled, writing them twice would be the dearest step of a build.
{{ config(materialized="view") }}

with
    invoices as (select * from {{ ref("int_invoices_settled") }}),
    disputes as (select * from {{ ref("int_disputes_summed") }}),
    as_of_dates as (select * from {{ ref("stg_as_of_dates") }}),
    last_run as (select max(as_of_date) as as_of_date from as_of_dates where is_run_date)

select
    invoices.entity_id,
    invoices.invoice_id,
    invoices.invoice_number,
    invoices.document_type,
    invoices.customer_id,
    invoices.order_id,
    invoices.po_number,
    invoices.currency_code,
    invoices.source,
    invoices.file_id,
    invoices.status,
    invoices.invoice_amount,
    invoices.applied_amount,
    invoices.written_off_amount,
    invoices.adjusted_amount,
    invoices.open_amount,
    {{
        money(
            "case when invoices.open_amount > 0"
            ~ " then least(coalesce(disputes.disputed_amount, 0), invoices.open_amount) else 0 end"
        )
    }} as disputed_amount,
    invoices.line,
    case
        when invoices.status = 'paid'
        then {{ days_between("invoices.invoice_date", "invoices.settled_date") }}
    end as days_to_pay,
    case
        when invoices.status = 'paid' then {{ days_between("invoices.due_date", "invoices.settled_date") }}
    end as days_late,
    invoices.invoice_date,
    invoices.due_date,
    invoices.settled_date
from invoices
cross join last_run
left join disputes on disputes.invoice_id = invoices.invoice_id and disputes.as_of_date = last_run.as_of_date
