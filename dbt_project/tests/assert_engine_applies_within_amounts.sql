-- Our engine never applies more than a payment has, nor more than a document asks for.
{{ config(tags=["ties"]) }}

with
    applications as (select * from {{ ref("fct_payment_applications") }} where applied_by <> 'ledger'),
    touched_payments as (select distinct payment_id from applications),
    touched_invoices as (select distinct invoice_id from applications)

select
    'payment' as subject,
    payments.payment_id as subject_id,
    payments.payment_amount as whole_amount,
    payments.applied_amount
from {{ ref("fct_payments") }} as payments
inner join touched_payments on touched_payments.payment_id = payments.payment_id
where
    (payments.payment_amount >= 0 and payments.unapplied_amount < 0)
    or (payments.payment_amount < 0 and payments.unapplied_amount > 0)
union all
select
    'document' as subject,
    invoices.invoice_id as subject_id,
    invoices.invoice_amount as whole_amount,
    invoices.invoice_amount - invoices.open_amount as applied_amount
from {{ ref("fct_invoices") }} as invoices
inner join touched_invoices on touched_invoices.invoice_id = invoices.invoice_id
where
    (invoices.invoice_amount >= 0 and invoices.open_amount < 0)
    or (invoices.invoice_amount < 0 and invoices.open_amount > 0)
