-- Net receivables at which a month arrives are those of aging, on every run date that a month is rolled to.
{{ config(tags=["ties"]) }}

with
    run_dates as (select as_of_date from {{ ref("stg_as_of_dates") }} where is_run_date),
    historyless as (select * from {{ ref("int_historyless_ledgers") }}),
    months as (select as_of_date from {{ ref("int_months_dated") }}),

    lines as (
        select
            rolled.as_of_date,
            rolled.entity_id,
            rolled.currency_code,
            rolled.closing_amount,
            0 as aged_net_amount
        from {{ ref("fct_ar_rollforward") }} as rolled
        inner join run_dates on run_dates.as_of_date = rolled.as_of_date
        where rolled.entity_id <> 'ALL'
        union all
        select aging.as_of_date, aging.entity_id, aging.currency_code, 0, aging.net_amount
        from {{ ref("fct_ar_aging") }} as aging
        inner join months on months.as_of_date = aging.as_of_date
        left join
            historyless
            on historyless.entity_id = aging.entity_id
            and historyless.currency_code = aging.currency_code
        where historyless.entity_id is null
    ),

    totals as (
        select
            as_of_date,
            entity_id,
            currency_code,
            sum(closing_amount) as closing_amount,
            sum(aged_net_amount) as aged_net_amount
        from lines
        group by as_of_date, entity_id, currency_code
    )

select *
from totals
where closing_amount <> aged_net_amount
