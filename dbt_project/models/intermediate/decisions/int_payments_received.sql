-- Money that customers paid, and money that went back, each as a movement. One row per movement_id. What
-- goes back counts on the day on which the money had come, but only from known_date on: a returned
-- cheque was never paid, though nobody knew until then. A source that delivers no payments shows them by
-- its applications.
with
    payments as (select * from {{ ref("int_payments_applied") }} where customer_id is not null),
    returns as (select * from payments where reverses_payment_id is not null),
    applications as (select * from {{ ref("int_applications_unioned") }} where settlement_type = 'payment'),
    paying_sources as (select distinct _source from {{ ref("stg_payments") }}),

    silent_applications as (
        select application_id
        from {{ ref("stg_payment_applications") }}
        where _source not in (select _source from paying_sources)
    ),

    received as (
        select
            payment_id as movement_id,
            customer_id,
            currency_code,
            payment_amount as received_amount,
            false as is_return,
            value_date as received_date,
            -- a payer that the bank does not name is known once the payment has settled an item
            greatest(value_date, coalesce(identified_date, value_date)) as known_date
        from payments
        where reverses_payment_id is null
        union all
        select
            returns.payment_id,
            returns.customer_id,
            returns.currency_code,
            returns.payment_amount,
            true,
            coalesce(payments.value_date, returns.value_date),
            greatest(returns.value_date, coalesce(returns.identified_date, returns.value_date))
        from returns
        left join payments on payments.payment_id = returns.reverses_payment_id
        union all
        select
            applications.application_id,
            applications.customer_id,
            applications.currency_code,
            applications.applied_amount,
            applications.application_type = 'reversal',
            coalesce(reversed.effective_date, applications.effective_date),
            applications.effective_date
        from silent_applications
        inner join applications on applications.application_id = silent_applications.application_id
        left join applications as reversed on reversed.application_id = applications.reverses_application_id
    )

select *
from received
