-- Every cent received is set against documents, on account of a customer, or in suspense; aging has the
-- same of each
-- customer.
{{ config(tags=["ties"]) }}

with
    as_of_dates as (select * from {{ ref("stg_as_of_dates") }}),
    last_run as (select max(as_of_date) as as_of_date from as_of_dates where is_run_date),
    payments as (select * from {{ ref("fct_payments") }}),

    applied as (
        select payment_id, sum(applied_amount) as applied_amount
        from {{ ref("int_applications_unioned") }}
        where settlement_type = 'payment'
        group by payment_id
    ),

    lines as (
        select
            payments.entity_id,
            payments.currency_code,
            coalesce(payments.customer_id, '(unidentified)') as customer_id,
            payments.payment_amount - coalesce(applied.applied_amount, 0) as left_amount,
            0 as aged_amount,
            0 as listed_amount
        from payments
        left join applied on applied.payment_id = payments.payment_id
        union all
        select aging.entity_id, aging.currency_code, aging.customer_id, 0, aging.unapplied_amount, 0
        from {{ ref("fct_ar_aging") }} as aging
        inner join last_run on last_run.as_of_date = aging.as_of_date
        union all
        select entity_id, currency_code, coalesce(customer_id, '(unidentified)'), 0, 0, unapplied_amount
        from {{ ref("int_unapplied_cash_aged") }}
    ),

    totals as (
        select
            entity_id,
            currency_code,
            customer_id,
            sum(left_amount) as left_amount,
            sum(aged_amount) as aged_amount,
            sum(listed_amount) as listed_amount
        from lines
        group by entity_id, currency_code, customer_id
    )

select *
from totals
where left_amount <> aged_amount or aged_amount <> listed_amount
