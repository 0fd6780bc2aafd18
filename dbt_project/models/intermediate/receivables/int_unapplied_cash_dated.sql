-- Money not set against a document, on every date of the run. One row per as_of_date, entity_id,
-- customer_id, currency_code.
-- Most payments are applied in full on their own day: they are read once and left out.
with
    as_of_dates as (select * from {{ ref("stg_as_of_dates") }}),

    payments as (
        select *
        from {{ ref("int_payments_applied") }}
        where unapplied_amount <> 0 or last_applied_date > value_date
    ),

    applications as (
        select payments.payment_id, applications.applied_amount, applications.effective_date
        from {{ ref("int_applications_unioned") }} as applications
        inner join payments on payments.payment_id = applications.payment_id
        where applications.settlement_type = 'payment'
    ),

    movements as (
        select payment_id, payment_amount as unapplied_amount, value_date as moved_date
        from payments
        union all
        select payment_id, - applied_amount as unapplied_amount, effective_date as moved_date
        from applications
    ),

    unapplied as (
        select
            as_of_dates.as_of_date,
            as_of_dates.is_run_date,
            movements.payment_id,
            sum(movements.unapplied_amount) as unapplied_amount
        from as_of_dates
        inner join movements on movements.moved_date <= as_of_dates.as_of_date
        group by as_of_dates.as_of_date, as_of_dates.is_run_date, movements.payment_id
        having sum(movements.unapplied_amount) <> 0
    ),

    identified as (
        select
            unapplied.as_of_date,
            unapplied.is_run_date,
            payments.entity_id,
            case
                when payments.identified_date <= unapplied.as_of_date
                then coalesce(payments.customer_id, '(unidentified)')
                else '(unidentified)'
            end as customer_id,
            payments.currency_code,
            unapplied.unapplied_amount
        from unapplied
        inner join payments on payments.payment_id = unapplied.payment_id
    )

select
    as_of_date,
    is_run_date,
    entity_id,
    customer_id,
    currency_code,
    {{ money("sum(unapplied_amount)") }} as unapplied_amount
from identified
group by as_of_date, is_run_date, entity_id, customer_id, currency_code
