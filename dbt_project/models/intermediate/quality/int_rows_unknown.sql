-- Input rows that name a customer, document or payment that no source delivers. One row per file_id,
-- table_name, line, reason_code. A home without any customer table has no unknown customers: documents
-- are all it knows.
{{ config(tags=["decisions"]) }}

with
    known_customers as (select customer_id from {{ ref("stg_customers") }}),
    stubs as (
        select customer_id
        from {{ ref("int_customers_completed") }}
        where is_stub and exists (select 1 from known_customers)
    ),

    -- Few applications lack their document or payment among those that count; only these are looked up.
    uncounted as (
        select *
        from {{ ref("int_applications_unioned") }}
        where
            applied_by = 'ledger'
            and (not is_document_counted or (payment_id is not null and not is_payment_counted))
    ),

    customer_mentions as (
        select 'invoices' as table_name, _source, _file_id, _line, customer_id as named_id
        from {{ ref("stg_invoices") }}
        union all
        select 'payments', _source, _file_id, _line, customer_id
        from {{ ref("stg_payments") }}
        union all
        select 'orders', _source, _file_id, _line, customer_id
        from {{ ref("stg_orders") }}
        union all
        select 'promises', _source, _file_id, _line, customer_id
        from {{ ref("stg_promises") }}
        union all
        select 'plans', _source, _file_id, _line, customer_id
        from {{ ref("stg_plans") }}
    ),

    customer_settings as (
        select 'contacts' as table_name, _source, _file_id, _line, customer_id as named_id
        from {{ ref("stg_contacts") }}
        union all
        select 'blocks', _source, _file_id, _line, subject_id
        from {{ ref("stg_blocks") }}
        where scope = 'customer'
    ),

    invoice_mentions as (
        select 'blocks' as table_name, _source, _file_id, _line, subject_id as named_id
        from {{ ref("stg_blocks") }}
        where scope = 'invoice'
        union all
        select 'disputes', _source, _file_id, _line, invoice_id
        from {{ ref("stg_disputes") }}
        union all
        select 'promises', _source, _file_id, _line, invoice_id
        from {{ ref("stg_promises") }}
        where invoice_id is not null
        union all
        select 'adjustments', _source, _file_id, _line, invoice_id
        from {{ ref("stg_adjustments") }}
        union all
        select 'installments', _source, _file_id, _line, invoice_id
        from {{ ref("stg_installments") }}
        union all
        select
            'payment_applications',
            applications._source,
            applications._file_id,
            applications._line,
            applications.invoice_id
        from uncounted
        inner join
            {{ ref("stg_payment_applications") }} as applications
            on applications.application_id = uncounted.application_id
        where not uncounted.is_document_counted
    ),

    payment_mentions as (
        select
            'payment_applications' as table_name,
            applications._source,
            applications._file_id,
            applications._line,
            applications.payment_id as named_id
        from uncounted
        inner join
            {{ ref("stg_payment_applications") }} as applications
            on applications.application_id = uncounted.application_id
        where
            not uncounted.is_payment_counted
            and applications._source in (select _source from {{ ref("stg_payments") }})
    ),

    unknown as (
        select customer_mentions.*, 'customer' as named
        from customer_mentions
        inner join stubs on stubs.customer_id = customer_mentions.named_id
        union all
        select customer_settings.*, 'customer'
        from customer_settings
        left join known_customers on known_customers.customer_id = customer_settings.named_id
        where known_customers.customer_id is null
        union all
        select invoice_mentions.*, 'invoice'
        from invoice_mentions
        left join {{ ref("stg_invoices") }} as invoices on invoices.invoice_id = invoice_mentions.named_id
        where invoices.invoice_id is null
        union all
        select payment_mentions.*, 'payment'
        from payment_mentions
        left join {{ ref("stg_payments") }} as payments on payments.payment_id = payment_mentions.named_id
        where payments.payment_id is null
    )

select
    _file_id as file_id,
    _source as source,
    table_name,
    _line as line,
    'warning' as severity,
    'unknown_' || named as reason_code,
    'No source delivers the ' || named || ' ' || named_id || '.' as reason
from unknown
