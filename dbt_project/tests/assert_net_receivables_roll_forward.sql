-- Net receivables out of open items and unapplied cash are those out of invoices, credits and cash, on
-- every date.
{{ config(tags=["ties"]) }}

with
    balances as (select * from {{ ref("int_net_balances_dated") }} where entity_id <> 'ALL'),
    as_of_dates as (select * from {{ ref("stg_as_of_dates") }}),

    lines as (
        select
            as_of_date,
            entity_id,
            currency_code,
            open_amount - credit_memo_amount as standing_amount,
            0 as rolled_amount
        from {{ ref("int_aged_summed") }}
        where entity_id <> 'ALL'
        union all
        select as_of_date, entity_id, currency_code, - unapplied_amount, 0
        from {{ ref("int_unapplied_cash_dated") }}
        union all
        select as_of_dates.as_of_date, balances.entity_id, balances.currency_code, 0, balances.net_amount
        from as_of_dates
        inner join balances on balances.balance_date = as_of_dates.as_of_date
    ),

    totals as (
        select
            as_of_date,
            entity_id,
            currency_code,
            sum(standing_amount) as standing_amount,
            sum(rolled_amount) as rolled_amount
        from lines
        group by as_of_date, entity_id, currency_code
    )

select *
from totals
where standing_amount <> rolled_amount
