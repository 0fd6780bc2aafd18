-- The ledger applied more than a payment has, or more than a document asks for: its books are to be looked
-- at.
{{ config(severity="warn", tags=["ties"]) }}

select 'payment' as subject, payment_id as subject_id, payment_amount as whole_amount, applied_amount
from {{ ref("fct_payments") }}
where (payment_amount >= 0 and unapplied_amount < 0) or (payment_amount < 0 and unapplied_amount > 0)
union all
select
    'document' as subject,
    invoice_id as subject_id,
    invoice_amount as whole_amount,
    invoice_amount - open_amount as applied_amount
from {{ ref("fct_invoices") }}
where (invoice_amount >= 0 and open_amount < 0) or (invoice_amount < 0 and open_amount > 0)
