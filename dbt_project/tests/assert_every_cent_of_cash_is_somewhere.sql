-- Money that came in, as the sources say, is set against documents, on account or in suspense on the last run
-- date: nowhere else, and nothing twice.
{{ config(tags=["ties"]) }}

with
    as_of_dates as (select * from {{ ref("stg_as_of_dates") }}),
    last_run as (select max(as_of_date) as as_of_date from as_of_dates where is_run_date),

    lines as (
        select
            payments.entity_id,
            payments.currency_code,
            payments.payment_amount as landed_amount,
            0 as applied_amount,
            0 as unapplied_amount
        from {{ ref("stg_payments") }} as payments
        cross join last_run
        where payments.value_date <= last_run.as_of_date and coalesce(payments.settlement, 'terms') = 'terms'
        union all
        select payments.entity_id, payments.currency_code, 0, applications.applied_amount, 0
        from {{ ref("int_applications_unioned") }} as applications
        inner join {{ ref("fct_payments") }} as payments on payments.payment_id = applications.payment_id
        where applications.settlement_type = 'payment'
        union all
        select aging.entity_id, aging.currency_code, 0, 0, aging.unapplied_amount
        from {{ ref("fct_ar_aging") }} as aging
        inner join last_run on last_run.as_of_date = aging.as_of_date
    ),

    totals as (
        select
            entity_id,
            currency_code,
            sum(landed_amount) as landed_amount,
            sum(applied_amount) as applied_amount,
            sum(unapplied_amount) as unapplied_amount
        from lines
        group by entity_id, currency_code
    )

select *
from totals
where landed_amount <> applied_amount + unapplied_amount
