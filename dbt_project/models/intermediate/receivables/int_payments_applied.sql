-- Payments and how far they are applied on the last run date. One row per payment_id.
{{ config(materialized="table") }}

with
    payments as (select * from {{ ref("int_payments_counted") }}),
    -- read apart: what is read once is not kept in memory
    reversals as (select * from {{ ref("int_payments_counted") }} where reverses_payment_id is not null),
    assigned as (select * from {{ ref("int_payers_assigned") }} where customer_id is not null),

    applied as (
        select
            payment_id,
            sum(applied_amount) as applied_amount,
            min(effective_date) as first_applied_date,
            max(effective_date) as last_applied_date,
            min(case when customer_id is not null then effective_date end) as first_known_date
        from {{ ref("int_applications_unioned") }}
        where is_payment_counted and settlement_type = 'payment'
        group by payment_id
    ),

    -- Whose the money is that names nobody: the customer whose documents it settled first. What it settles
    -- later changes nothing of the days before.
    named as (
        select applications.payment_id, min(applications.customer_id) as customer_id
        from payments
        inner join applied on applied.payment_id = payments.payment_id
        inner join
            {{ ref("int_applications_unioned") }} as applications
            on applications.payment_id = payments.payment_id
            and applications.effective_date = applied.first_known_date
        where
            payments.customer_id is null
            and applications.is_payment_counted
            and applications.settlement_type = 'payment'
        group by applications.payment_id
    ),

    taken_back as (
        select reverses_payment_id, sum(payment_amount) as payment_amount
        from reversals
        group by reverses_payment_id
    ),

    -- few, so that the join reads payments against a handful
    reversed as (
        select
            reversals.payment_id,
            coalesce(payments.customer_id, assigned.customer_id, named.customer_id) as customer_id,
            case
                when payments.customer_id is not null
                then payments.value_date
                else
                    least(
                        coalesce(assigned.assigned_date, applied.first_known_date),
                        coalesce(applied.first_known_date, assigned.assigned_date)
                    )
            end as known_date
        from reversals
        inner join payments on payments.payment_id = reversals.reverses_payment_id
        left join applied on applied.payment_id = payments.payment_id
        left join assigned on assigned.payment_id = payments.payment_id
        left join named on named.payment_id = payments.payment_id
    ),

    summed as (
        select
            payments.payment_id,
            payments.entity_id,
            -- a payment that names nobody is of whom it was found to be, else of whose documents it settles
            coalesce(
                payments.customer_id, reversed.customer_id, assigned.customer_id, named.customer_id
            ) as customer_id,
            payments.currency_code,
            payments.payment_method,
            payments.reverses_payment_id,
            payments.payment_amount,
            {{ money("coalesce(applied.applied_amount, 0)") }} as applied_amount,
            {{ money("payments.payment_amount - coalesce(applied.applied_amount, 0)") }} as unapplied_amount,
            payments.reverses_payment_id is not null
            or coalesce(payments.payment_amount + taken_back.payment_amount = 0, false) as is_reversed,
            payments.value_date,
            -- before that day nobody knew whose the money was
            case
                when payments.customer_id is not null
                then payments.value_date
                when reversed.customer_id is not null
                then greatest(payments.value_date, reversed.known_date)
                else
                    least(
                        coalesce(assigned.assigned_date, applied.first_known_date),
                        coalesce(applied.first_known_date, assigned.assigned_date)
                    )
            end as identified_date,
            applied.first_applied_date,
            applied.last_applied_date
        from payments
        left join applied on applied.payment_id = payments.payment_id
        left join assigned on assigned.payment_id = payments.payment_id
        left join named on named.payment_id = payments.payment_id
        left join taken_back on taken_back.reverses_payment_id = payments.payment_id
        left join reversed on reversed.payment_id = payments.payment_id
    )

select
    *,
    case
        when is_reversed
        then 'reversed'
        when unapplied_amount = 0
        then 'applied'
        when applied_amount <> 0
        then 'partly_applied'
        when customer_id is not null
        then 'on_account'
        else 'suspense'
    end as status
from summed
