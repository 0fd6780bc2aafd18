-- Invoices of the last days and what is wanting about them. One row per as_of_date, invoice_id: invoices not
-- cancelled, dated in the policy's window up to the run date. Terms are missing when neither the document
-- nor its
-- customer says when to pay; a contact, when nobody with an address or a number was known by then. A
-- correction counts
-- from its own date.
with
    run_dates as (select as_of_date from {{ ref("stg_as_of_dates") }} where is_run_date),
    policy as (select * from {{ ref("stg_reporting_policy") }}),
    customers as (select * from {{ ref("stg_customers") }}),
    orders as (select * from {{ ref("stg_orders") }}),
    sent as (select * from {{ ref("stg_invoices") }}),

    documents as (
        select run_dates.as_of_date, invoices.*
        from run_dates
        cross join policy
        inner join
            {{ ref("int_invoices_settled") }} as invoices
            on invoices.invoice_date <= run_dates.as_of_date
            and {{ days_between("invoices.invoice_date", "run_dates.as_of_date") }}
            < policy.process_window_days
        where invoices.document_type = 'invoice' and not invoices.is_cancelled
    ),

    reachable as (
        select run_dates.as_of_date, contacts.customer_id
        from run_dates
        inner join
            {{ ref("stg_contacts") }} as contacts
            on contacts.valid_from is null
            or contacts.valid_from <= run_dates.as_of_date
        where contacts.email is not null or contacts.phone is not null
        group by run_dates.as_of_date, contacts.customer_id
    ),

    corrected as (
        select
            run_dates.as_of_date,
            corrections.corrects_invoice_id as invoice_id,
            max(case when corrections.document_type = 'credit_memo' then 0 else 1 end) as rebilled
        from run_dates
        inner join sent as corrections on corrections.invoice_date <= run_dates.as_of_date
        where
            corrections.corrects_invoice_id is not null
            and coalesce(corrections.status, 'posted') <> 'cancelled'
        group by run_dates.as_of_date, corrections.corrects_invoice_id
    )

select
    documents.as_of_date,
    documents.entity_id,
    documents.customer_id,
    documents.invoice_id,
    documents.currency_code,
    documents.invoice_amount,
    {{ days_between("orders.shipped_date", "documents.invoice_date") }} as days_shipped_to_invoiced,
    {{ days_between("orders.delivered_date", "documents.invoice_date") }} as days_delivered_to_invoiced,
    case
        when sent.sent_date <= documents.as_of_date
        then {{ days_between("documents.invoice_date", "sent.sent_date") }}
    end as days_invoiced_to_sent,
    documents.po_number is null as is_po_number_missing,
    sent.due_date is null
    and sent.payment_terms_days is null
    and not documents.has_installments
    and customers.payment_terms_days is null as is_terms_missing,
    reachable.customer_id is null as is_contact_missing,
    corrected.invoice_id is not null as is_corrected,
    coalesce(corrected.rebilled, 0) = 1 as is_rebilled
from documents
inner join sent on sent.invoice_id = documents.invoice_id
left join customers on customers.customer_id = documents.customer_id
left join orders on orders.order_id = documents.order_id
left join
    reachable on reachable.as_of_date = documents.as_of_date and reachable.customer_id = documents.customer_id
left join
    corrected on corrected.as_of_date = documents.as_of_date and corrected.invoice_id = documents.invoice_id
