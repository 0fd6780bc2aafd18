-- Payments of which the bank took money back, with what is left of them and what still stands applied. One
-- row per payment_id.
-- A reversal in another entity or currency than its payment is not known to be its own.
with
    payments as (select * from {{ ref("int_payments_counted") }}),
    -- read apart: what is read once is not kept in memory
    reversals as (select * from {{ ref("int_payments_counted") }} where reverses_payment_id is not null),

    moved as (
        select
            payments.payment_id,
            payments.payment_amount,
            payments.payment_id as part_id,
            payments.payment_amount as part_amount
        from payments
        inner join
            (select distinct reverses_payment_id from reversals) as touched
            on touched.reverses_payment_id = payments.payment_id
        union all
        select payments.payment_id, payments.payment_amount, reversals.payment_id, reversals.payment_amount
        from reversals
        inner join
            payments
            on payments.payment_id = reversals.reverses_payment_id
            and payments.entity_id = reversals.entity_id
            and payments.currency_code = reversals.currency_code
    ),

    applied as (
        select applications.payment_id, sum(applications.applied_amount) as applied_amount
        from {{ ref("int_applications_typed") }} as applications
        inner join (select distinct part_id from moved) as parts on parts.part_id = applications.payment_id
        where applications.settlement_type = 'payment'
        group by applications.payment_id
    ),

    summed as (
        select
            moved.payment_id,
            max(sign(moved.payment_amount)) as direction,
            sum(moved.part_amount) as left_amount,
            sum(coalesce(applied.applied_amount, 0)) as applied_amount
        from moved
        left join applied on applied.payment_id = moved.part_id
        group by moved.payment_id
    )

select
    payment_id,
    {{ money("left_amount") }} as left_amount,
    {{ money("applied_amount") }} as applied_amount,
    applied_amount * direction <= left_amount * direction as is_carried_out
from summed
