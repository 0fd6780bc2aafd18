-- Open debit items of customers of high risk: on the run dates as they are found, on others as they were
-- published, beside all that was open then. One row per as_of_date, entity_id, currency_code.
-- Entity ALL is in group currency.
with
    aging as (select * from {{ ref("fct_ar_aging") }}),
    segments as (select * from {{ ref("fct_customer_segments") }} where risk_class = 'high'),
    rates as (select * from {{ ref("int_fx_rates_effective") }}),
    controls as (select * from {{ ref("stg_controls") }}),
    currencies as (select * from {{ ref("stg_currencies") }}),

    at_risk as (
        select
            aging.as_of_date,
            aging.entity_id,
            aging.currency_code,
            sum(aging.open_amount) as open_amount,
            cast(null as decimal(18, 4)) as published_open_amount
        from aging
        inner join
            segments on segments.as_of_date = aging.as_of_date and segments.customer_id = aging.customer_id
        group by aging.as_of_date, aging.entity_id, aging.currency_code
        union all
        select as_of_date, entity_id, currency_code, at_risk_amount, open_amount
        from {{ ref("stg_risk_history") }}
    ),

    converted as (
        select
            at_risk.as_of_date,
            sum(at_risk.open_amount * rates.rate) as open_amount,
            sum(at_risk.published_open_amount * rates.rate) as published_open_amount
        from at_risk
        inner join
            rates on rates.as_of_date = at_risk.as_of_date and rates.currency_code = at_risk.currency_code
        group by at_risk.as_of_date
    )

select
    as_of_date,
    entity_id,
    currency_code,
    {{ money("open_amount") }} as open_amount,
    {{ money("published_open_amount") }} as published_open_amount
from at_risk
union all
select
    converted.as_of_date,
    'ALL' as entity_id,
    controls.group_currency_code as currency_code,
    {{ rounded("converted.open_amount", "currencies.minor_units") }} as open_amount,
    {{ rounded("converted.published_open_amount", "currencies.minor_units") }} as published_open_amount
from converted
cross join controls
left join currencies on currencies.currency_code = controls.group_currency_code
