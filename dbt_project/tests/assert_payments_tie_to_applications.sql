-- What is applied and unapplied of each payment is its amount, and aging shows all that is unapplied.
{{ config(tags=["ties"]) }}

with
    as_of_dates as (select * from {{ ref("stg_as_of_dates") }}),
    last_run as (select max(as_of_date) as as_of_date from as_of_dates where is_run_date),

    lines as (
        select
            payment_amount - applied_amount as expected_amount,
            unapplied_amount as payments_amount,
            0 as aged_amount,
            entity_id,
            currency_code
        from {{ ref("fct_payments") }}
        union all
        select 0, 0, aging.unapplied_amount, aging.entity_id, aging.currency_code
        from {{ ref("fct_ar_aging") }} as aging
        inner join last_run on last_run.as_of_date = aging.as_of_date
    ),

    totals as (
        select
            entity_id,
            currency_code,
            sum(expected_amount) as expected_amount,
            sum(payments_amount) as payments_amount,
            sum(aged_amount) as aged_amount
        from lines
        group by entity_id, currency_code
    )

select *
from totals
where expected_amount <> payments_amount or payments_amount <> aged_amount
