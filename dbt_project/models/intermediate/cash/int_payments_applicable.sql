-- Payments with money left after every recorded application, payments of zero of which nothing is applied,
-- and reversals to carry out. One row per payment_id.
with
    payments as (select * from {{ ref("int_payments_counted") }}),
    assigned as (select * from {{ ref("int_payers_assigned") }}),
    returned as (select * from {{ ref("int_payments_returned") }}),
    held as (select * from {{ ref("stg_held_payments") }}),

    applied as (
        select
            payment_id,
            sum(case when settlement_type = 'payment' then applied_amount else 0 end) as applied_amount
        from {{ ref("int_applications_typed") }}
        where payment_id is not null
        group by payment_id
    ),

    counted as (
        select
            payments.payment_id,
            payments.entity_id,
            coalesce(payments.customer_id, assigned.customer_id) as customer_id,
            payments.currency_code,
            payments.payer_name,
            payments.payer_account,
            payments.payment_method,
            payments.reference_text,
            payments.reverses_payment_id,
            payments.payment_amount,
            case
                -- what the bank took back is not there to be applied
                when returned.is_carried_out
                then returned.left_amount - returned.applied_amount
                when returned.payment_id is not null
                then 0
                else payments.payment_amount - coalesce(applied.applied_amount, 0)
            end as unapplied_amount,
            payments.payment_amount = 0 and applied.payment_id is null as is_untouched_zero,
            payments.value_date
        from payments
        left join applied on applied.payment_id = payments.payment_id
        left join assigned on assigned.payment_id = payments.payment_id
        left join returned on returned.payment_id = payments.payment_id
    )

select
    counted.payment_id,
    counted.entity_id,
    counted.customer_id,
    counted.currency_code,
    counted.payer_name,
    counted.payer_account,
    counted.payment_method,
    counted.reference_text,
    counted.reverses_payment_id,
    counted.payment_amount,
    {{ money("counted.unapplied_amount") }} as unapplied_amount,
    held.payment_id is not null as is_held,
    counted.value_date
from counted
left join returned as originals on originals.payment_id = counted.reverses_payment_id
left join held on held.payment_id = counted.payment_id
where
    (counted.unapplied_amount <> 0 or counted.is_untouched_zero)
    -- nothing stands of what a reversal takes back: there is nothing to carry out
    and not coalesce(originals.is_carried_out, false)
