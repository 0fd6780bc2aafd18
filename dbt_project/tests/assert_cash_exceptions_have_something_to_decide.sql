-- A payment that a person must look at has money left, a deduction, or an application that something speaks
-- against;
-- its amounts are those of the payment.
{{ config(tags=["ties"]) }}

with
    exceptions as (select * from {{ ref("fct_cash_exceptions") }}),
    payments as (select * from {{ ref("fct_payments") }})

select
    exceptions.payment_id,
    exceptions.reason_code,
    exceptions.payment_amount,
    exceptions.unapplied_amount,
    payments.payment_amount as stated_amount,
    payments.unapplied_amount as left_amount
from exceptions
left join payments on payments.payment_id = exceptions.payment_id
where
    exceptions.reason_code
    not in ('evidence_against_application', 'decision_not_possible', 'waiting_for_approval')
    and (
        payments.payment_id is null
        or payments.payment_amount <> exceptions.payment_amount
        or (
            payments.unapplied_amount = 0
            and payments.payment_amount <> 0
            and exceptions.payment_id not in (select payment_id from {{ ref("fct_deductions") }})
        )
    )
