-- Applications that the ledger dates before the document they settle. One row per file_id, line.
{{ config(tags=["decisions"]) }}

with
    -- An application counts from the latest of three dates: only where that is not its own is a document
    -- looked up.
    moved as (
        select application_id
        from {{ ref("int_applications_unioned") }}
        where applied_by = 'ledger' and application_date < effective_date
    ),
    applications as (select * from {{ ref("stg_payment_applications") }}),
    documents as (select * from {{ ref("int_invoices_settled") }})

select
    applications._file_id as file_id,
    applications._source as source,
    'payment_applications' as table_name,
    applications._line as line,
    'warning' as severity,
    'paid_before_invoice_date' as reason_code,
    'application_date '
    || cast(applications.application_date as {{ dbt.type_string() }})
    || ' is before the date of the invoice '
    || applications.invoice_id
    || ', '
    || cast(documents.invoice_date as {{ dbt.type_string() }})
    || ': it counts from the later one.' as reason
from moved
inner join applications on applications.application_id = moved.application_id
inner join documents on documents.invoice_id = applications.invoice_id
where applications.application_date < documents.invoice_date
