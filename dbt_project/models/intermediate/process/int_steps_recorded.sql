-- What the ledger and cash application did with orders and documents in motion, each thing once. One row per
-- event_type, reference_id. An amount stands on its own row alone, so that sums of a type are sums of the
-- things.
with
    orders as (select * from {{ ref("int_orders_in_motion") }}),
    documents as (select * from {{ ref("int_documents_in_motion") }}),
    last_run as (select max(as_of_date) as as_of_date from {{ ref("stg_as_of_dates") }} where is_run_date),

    steps as (
        select
            'ordered' as event_type,
            order_id as reference_id,
            customer_id,
            order_id,
            cast(null as {{ dbt.type_string() }}) as invoice_id,
            cast(null as {{ dbt.type_string() }}) as payment_id,
            'ledger' as actor,
            cast(null as {{ dbt.type_string() }}) as detail,
            currency_code,
            order_amount as event_amount,
            order_date as event_date,
            entity_id
        from orders
        union all
        select
            'shipped',
            order_id,
            customer_id,
            order_id,
            null,
            null,
            'ledger',
            null,
            currency_code,
            null,
            shipped_date,
            entity_id
        from orders
        where shipped_date is not null
        union all
        select
            'delivered',
            order_id,
            customer_id,
            order_id,
            null,
            null,
            'ledger',
            null,
            currency_code,
            null,
            delivered_date,
            entity_id
        from orders
        where delivered_date is not null
        union all
        select
            case when document_type = 'credit_memo' then 'credited' else 'invoiced' end,
            invoice_id,
            customer_id,
            order_id,
            invoice_id,
            null,
            'ledger',
            document_type,
            currency_code,
            invoice_amount,
            invoice_date,
            entity_id
        from documents
        where not is_cancelled
        union all
        select
            'cancelled',
            invoice_id,
            customer_id,
            order_id,
            invoice_id,
            null,
            'ledger',
            document_type,
            currency_code,
            null,
            invoice_date,
            entity_id
        from documents
        where is_cancelled
        union all
        select
            'sent',
            documents.invoice_id,
            documents.customer_id,
            documents.order_id,
            documents.invoice_id,
            null,
            'ledger',
            invoices.delivery_channel,
            documents.currency_code,
            null,
            invoices.sent_date,
            documents.entity_id
        from documents
        inner join {{ ref("stg_invoices") }} as invoices on invoices.invoice_id = documents.invoice_id
        inner join last_run on invoices.sent_date <= last_run.as_of_date
        union all
        select
            case
                applications.settlement_type
                when 'payment'
                then 'paid'
                when 'credit_memo'
                then 'offset'
                when 'discount'
                then 'discounted'
                else 'written_off'
            end,
            applications.application_id,
            documents.customer_id,
            documents.order_id,
            documents.invoice_id,
            coalesce(applications.payment_id, applications.credit_memo_id),
            applications.applied_by,
            coalesce(applications.rule, applications.application_type),
            documents.currency_code,
            applications.settled_amount,
            applications.effective_date,
            documents.entity_id
        from {{ ref("int_applications_unioned") }} as applications
        inner join documents on documents.invoice_id = applications.invoice_id and not documents.is_cancelled
        union all
        select
            'adjusted',
            adjustments.adjustment_id,
            documents.customer_id,
            documents.order_id,
            documents.invoice_id,
            null,
            'ledger',
            coalesce(adjustments.reason, adjustments.adjustment_type),
            documents.currency_code,
            adjustments.adjustment_amount,
            greatest(adjustments.adjustment_date, documents.invoice_date),
            documents.entity_id
        from {{ ref("stg_adjustments") }} as adjustments
        inner join documents on documents.invoice_id = adjustments.invoice_id and not documents.is_cancelled
        inner join last_run on adjustments.adjustment_date <= last_run.as_of_date
        union all
        select
            'disputed',
            disputes.dispute_id,
            documents.customer_id,
            documents.order_id,
            documents.invoice_id,
            null,
            'customer',
            disputes.reason_code,
            documents.currency_code,
            disputes.disputed_amount,
            disputes.opened_date,
            documents.entity_id
        from {{ ref("int_disputes_unioned") }} as disputes
        inner join documents on documents.invoice_id = disputes.invoice_id
        inner join last_run on disputes.opened_date <= last_run.as_of_date
        union all
        select
            'dispute_resolved',
            disputes.dispute_id,
            documents.customer_id,
            documents.order_id,
            documents.invoice_id,
            null,
            coalesce(disputes.owner_email, 'ledger'),
            disputes.reason_code,
            documents.currency_code,
            null,
            disputes.resolved_date,
            documents.entity_id
        from {{ ref("int_disputes_unioned") }} as disputes
        inner join documents on documents.invoice_id = disputes.invoice_id
        inner join last_run on disputes.resolved_date <= last_run.as_of_date
    )

select *
from steps
