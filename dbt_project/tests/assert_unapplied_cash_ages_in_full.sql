-- Buckets of unapplied cash sum to its amount, those of all accounts to those of each, and to aging.
{{ config(tags=["ties"]) }}

with
    as_of_dates as (select * from {{ ref("stg_as_of_dates") }}),
    last_run as (select max(as_of_date) as as_of_date from as_of_dates where is_run_date),
    aged as (select * from {{ ref("fct_unapplied_cash_aging") }}),

    lines as (
        select
            entity_id,
            currency_code,
            case when bank_account_id = 'ALL' then unapplied_amount else 0 end as all_amount,
            case when bank_account_id = 'ALL' then 0 else unapplied_amount end as accounts_amount,
            case
                when bank_account_id = 'ALL'
                then age_0_7_amount + age_8_30_amount + age_31_90_amount + age_over_90_amount
                else 0
            end as buckets_amount,
            0 as aging_amount
        from aged
        union all
        select aging.entity_id, aging.currency_code, 0, 0, 0, aging.unapplied_amount
        from {{ ref("fct_ar_aging") }} as aging
        inner join last_run on last_run.as_of_date = aging.as_of_date
    ),

    totals as (
        select
            entity_id,
            currency_code,
            sum(all_amount) as all_amount,
            sum(accounts_amount) as accounts_amount,
            sum(buckets_amount) as buckets_amount,
            sum(aging_amount) as aging_amount
        from lines
        group by entity_id, currency_code
    )

select *
from totals
where all_amount <> accounts_amount or all_amount <> buckets_amount or all_amount <> aging_amount
