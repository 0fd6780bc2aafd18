-- What customers owe beside all that is owed. One row per as_of_date, entity_id, customer_id, currency_code
-- with anything open. In group currency, as entity ALL, where every currency of the date has a rate.
with
    aging as (select * from {{ ref("fct_ar_aging") }} where open_amount <> 0),
    rates as (select * from {{ ref("int_fx_rates_effective") }}),

    rated as (
        select aging.*, rates.rate, rates.group_currency_code
        from aging
        left join rates on rates.as_of_date = aging.as_of_date and rates.currency_code = aging.currency_code
    ),

    unrated as (select distinct as_of_date from rated where rate is null),

    open_items as (
        select as_of_date, entity_id, customer_id, currency_code, open_amount
        from aging
        union all
        select
            rated.as_of_date,
            'ALL',
            rated.customer_id,
            rated.group_currency_code,
            sum(rated.open_amount * rated.rate)
        from rated
        left join unrated on unrated.as_of_date = rated.as_of_date
        where unrated.as_of_date is null
        group by rated.as_of_date, rated.customer_id, rated.group_currency_code
    )

select
    open_items.as_of_date,
    open_items.entity_id,
    open_items.customer_id,
    open_items.currency_code,
    {{ rounded("open_items.open_amount", "currencies.minor_units") }} as open_amount,
    {{
        rounded(
            "sum(open_items.open_amount) over (partition by open_items.as_of_date, open_items.entity_id,"
            ~ " open_items.currency_code)",
            "currencies.minor_units",
        )
    }} as ledger_open_amount,
    cast(
        count(*) over (
            partition by open_items.as_of_date, open_items.entity_id, open_items.currency_code
        ) as bigint
    ) as customer_count
from open_items
left join {{ ref("stg_currencies") }} as currencies on currencies.currency_code = open_items.currency_code
