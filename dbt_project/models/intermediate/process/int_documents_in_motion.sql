-- Documents that order to cash shows: open on the last run date, or dated or moved in the policy's days
-- before it.
-- One row per invoice_id.
with
    last_run as (select max(as_of_date) as as_of_date from {{ ref("stg_as_of_dates") }} where is_run_date),
    policy as (select * from {{ ref("stg_reporting_policy") }})

select
    documents.invoice_id,
    documents.entity_id,
    documents.customer_id,
    documents.order_id,
    documents.document_type,
    documents.currency_code,
    documents.is_cancelled,
    documents.invoice_amount,
    documents.open_amount,
    documents.invoice_date
from {{ ref("int_invoices_settled") }} as documents
cross join last_run
cross join policy
where
    documents.open_amount <> 0
    or policy.lineage_days is null
    or
    {{ days_between("coalesce(documents.last_moved_date, documents.invoice_date)", "last_run.as_of_date") }}
    < policy.lineage_days
