-- Payments with money left after every recorded application, and reversals to carry out. One row per
-- payment_id.
with
    payments as (select * from {{ ref("int_payments_counted") }}),

    applied as (
        select payment_id, sum(applied_amount) as applied_amount
        from {{ ref("int_applications_typed") }}
        where payment_id is not null and settlement_type = 'payment'
        group by payment_id
    ),

    taken_back as (
        select reverses_payment_id, sum(payment_amount) as payment_amount
        from payments
        where reverses_payment_id is not null
        group by reverses_payment_id
    )

select
    payments.payment_id,
    payments.entity_id,
    payments.customer_id,
    payments.currency_code,
    payments.payer_name,
    payments.payer_account,
    payments.reference_text,
    payments.reverses_payment_id,
    payments.payment_amount,
    {{ money("payments.payment_amount - coalesce(applied.applied_amount, 0)") }} as unapplied_amount,
    payments.value_date
from payments
left join applied on applied.payment_id = payments.payment_id
left join taken_back on taken_back.reverses_payment_id = payments.payment_id
where
    payments.payment_amount <> coalesce(applied.applied_amount, 0)
    -- what the bank took back in full is not there to be applied
    and payments.payment_amount + coalesce(taken_back.payment_amount, 0) <> 0
