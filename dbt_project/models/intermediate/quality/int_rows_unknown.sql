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

    mentions as (
        select
            'invoices' as table_name, _source, _file_id, _line, 'customer' as named, customer_id as named_id
        from {{ ref("stg_invoices") }}
        inner join stubs using (customer_id)
        union all
        select 'payments', _source, _file_id, _line, 'customer', customer_id
        from {{ ref("stg_payments") }}
        inner join stubs using (customer_id)
        union all
        select 'orders', _source, _file_id, _line, 'customer', customer_id
        from {{ ref("stg_orders") }}
        inner join stubs using (customer_id)
        union all
        select 'promises', _source, _file_id, _line, 'customer', customer_id
        from {{ ref("stg_promises") }}
        inner join stubs using (customer_id)
        union all
        select 'plans', _source, _file_id, _line, 'customer', customer_id
        from {{ ref("stg_plans") }}
        inner join stubs using (customer_id)
        union all
        select 'contacts', _source, _file_id, _line, 'customer', customer_id
        from {{ ref("stg_contacts") }}
        where customer_id not in (select customer_id from known_customers)
        union all
        select 'blocks', _source, _file_id, _line, 'customer', subject_id
        from {{ ref("stg_blocks") }}
        where scope = 'customer' and subject_id not in (select customer_id from known_customers)
        union all
        select 'blocks', _source, _file_id, _line, 'invoice', subject_id
        from {{ ref("stg_blocks") }}
        where scope = 'invoice' and subject_id not in (select invoice_id from {{ ref("stg_invoices") }})
        union all
        select 'disputes', _source, _file_id, _line, 'invoice', invoice_id
        from {{ ref("stg_disputes") }}
        where invoice_id not in (select invoice_id from {{ ref("stg_invoices") }})
        union all
        select 'promises', _source, _file_id, _line, 'invoice', invoice_id
        from {{ ref("stg_promises") }}
        where invoice_id not in (select invoice_id from {{ ref("stg_invoices") }})
        union all
        select 'adjustments', _source, _file_id, _line, 'invoice', invoice_id
        from {{ ref("stg_adjustments") }}
        where invoice_id not in (select invoice_id from {{ ref("stg_invoices") }})
        union all
        select 'installments', _source, _file_id, _line, 'invoice', invoice_id
        from {{ ref("stg_installments") }}
        where invoice_id not in (select invoice_id from {{ ref("stg_invoices") }})
        union all
        select 'payment_applications', _source, _file_id, _line, 'invoice', applications.invoice_id
        from uncounted
        inner join {{ ref("stg_payment_applications") }} as applications using (application_id)
        where applications.invoice_id not in (select invoice_id from {{ ref("stg_invoices") }})
        union all
        select 'payment_applications', _source, _file_id, _line, 'payment', applications.payment_id
        from uncounted
        inner join {{ ref("stg_payment_applications") }} as applications using (application_id)
        where
            applications._source in (select _source from {{ ref("stg_payments") }})
            and applications.payment_id not in (select payment_id from {{ ref("stg_payments") }})
    )

select
    _file_id as file_id,
    _source as source,
    table_name,
    _line as line,
    'warning' as severity,
    'unknown_' || named as reason_code,
    'No source delivers the ' || named || ' ' || named_id || '.' as reason
from mentions
