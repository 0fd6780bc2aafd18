-- Net receivables by the roll-forward, on every date of the run and where its periods begin.
-- One row per balance_date, entity_id, currency_code.
-- Entity ALL is in group currency, at the rate of the date; unrated_count says how many of its parts have
-- no rate.
{{ config(materialized="table") }}

with
    periods as (select * from {{ ref("int_periods_opened") }}),
    flows as (select * from {{ ref("int_flows_daily") }}),
    rates as (select * from {{ ref("int_fx_rates_ranged") }}),
    controls as (select * from {{ ref("stg_controls") }}),
    currencies as (select * from {{ ref("stg_currencies") }}),

    balance_dates as (
        select as_of_date as balance_date
        from periods
        union
        select month_opening_date
        from periods
        union
        select quarter_opening_date
        from periods
        union
        select days_365_opening_date
        from periods
    ),

    by_currency as (
        select
            balance_dates.balance_date,
            flows.entity_id,
            flows.currency_code,
            sum(
                invoiced_amount
                - credited_amount
                - collected_amount
                - discount_amount
                - written_off_amount
                - adjusted_amount
            ) as net_amount
        from balance_dates
        inner join flows on flows.flow_date <= balance_dates.balance_date
        group by balance_dates.balance_date, flows.entity_id, flows.currency_code
    ),

    converted as (
        select
            by_currency.balance_date,
            sum(by_currency.net_amount * rates.rate) as net_amount,
            sum(
                case when by_currency.net_amount <> 0 and rates.rate is null then 1 else 0 end
            ) as unrated_count
        from by_currency
        left join
            rates
            on rates.currency_code = by_currency.currency_code
            and rates.valid_from <= by_currency.balance_date
            and (rates.valid_before is null or rates.valid_before > by_currency.balance_date)
        group by by_currency.balance_date
    )

select
    balance_date,
    entity_id,
    currency_code,
    {{ money("net_amount") }} as net_amount,
    cast(0 as bigint) as unrated_count
from by_currency
union all
select
    converted.balance_date,
    'ALL' as entity_id,
    controls.group_currency_code as currency_code,
    {{ rounded("coalesce(converted.net_amount, 0)", "currencies.minor_units") }} as net_amount,
    cast(converted.unrated_count as bigint) as unrated_count
from converted
cross join controls
left join currencies on currencies.currency_code = controls.group_currency_code
