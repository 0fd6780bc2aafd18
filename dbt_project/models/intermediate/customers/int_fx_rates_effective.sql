-- The rate of each currency to the group currency on each date: the latest on or before it; 1 for the
-- group's own. One row per as_of_date, currency_code; a currency without a rate by then has no row. An
-- amount is multiplied unrounded, summed, and rounded once to group_minor_units, half away from zero.
{{ config(materialized="table") }}

with
    as_of_dates as (select * from {{ ref("stg_as_of_dates") }}),
    rates as (select * from {{ ref("int_fx_rates_ranged") }}),
    currencies as (select * from {{ ref("stg_currencies") }}),

    effective as (
        select
            as_of_dates.as_of_date,
            rates.currency_code,
            rates.group_currency_code,
            rates.rate,
            currencies.minor_units as group_minor_units,
            rates.valid_from as rate_date
        from as_of_dates
        inner join
            rates
            on rates.valid_from <= as_of_dates.as_of_date
            and (rates.valid_before is null or rates.valid_before > as_of_dates.as_of_date)
        left join currencies on currencies.currency_code = rates.group_currency_code
    )

select *
from effective
