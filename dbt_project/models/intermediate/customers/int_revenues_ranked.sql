-- What customers bought on terms in the 365 days up to the run date, in group currency, and the tier it
-- makes. One row per as_of_date, customer_id that has documents in those days. Revenue is invoices and
-- debit memos less credit memos, each at the rate of its date, rounded once. It is null when one of its
-- documents has no rate by then. Sources that know open items only have no revenue. Of the n customers
-- with revenue above zero, largest first, ties by customer_id: A while those before them stay below the
-- policy's share of the total, C the last floor(ratio x n) of the list that are not A.
{{ config(materialized="table") }}

with
    run_dates as (select as_of_date from {{ ref("stg_as_of_dates") }} where is_run_date),
    rates as (select * from {{ ref("int_fx_rates_ranged") }}),
    controls as (select * from {{ ref("stg_controls") }}),
    currencies as (select * from {{ ref("stg_currencies") }}),
    policy as (select * from {{ ref("stg_segment_policy") }}),

    sales as (
        select
            run_dates.as_of_date,
            invoices.customer_id,
            invoices.currency_code,
            invoices.invoice_date,
            invoices.invoice_amount as sales_amount
        from run_dates
        inner join
            {{ ref("int_invoices_settled") }} as invoices
            on {{ days_between("invoices.invoice_date", "run_dates.as_of_date") }} between 0 and 364
        where not invoices.is_cancelled and not invoices.is_open_items_only
    ),

    days as (select distinct currency_code, invoice_date from sales),

    days_rated as (
        select days.currency_code, days.invoice_date, rates.rate
        from days
        inner join
            rates
            on rates.currency_code = days.currency_code
            and rates.valid_from <= days.invoice_date
            and (rates.valid_before is null or rates.valid_before > days.invoice_date)
    ),

    revenues as (
        select
            sales.as_of_date,
            sales.customer_id,
            case
                when count(*) = count(days_rated.rate) then sum(sales.sales_amount * days_rated.rate)
            end as exact_amount
        from sales
        left join
            days_rated
            on days_rated.currency_code = sales.currency_code
            and days_rated.invoice_date = sales.invoice_date
        group by sales.as_of_date, sales.customer_id
    ),

    rounded as (
        select
            revenues.as_of_date,
            revenues.customer_id,
            {{ rounded("revenues.exact_amount", "currencies.minor_units") }} as revenue_amount
        from revenues
        cross join controls
        left join currencies on currencies.currency_code = controls.group_currency_code
    ),

    ranked as (
        select
            as_of_date,
            customer_id,
            revenue_amount,
            row_number() over (partition by as_of_date order by revenue_amount desc, customer_id) as place,
            count(*) over (partition by as_of_date) as customer_count,
            sum(revenue_amount) over (partition by as_of_date) as total_amount,
            sum(revenue_amount) over (
                partition by as_of_date
                order by revenue_amount desc, customer_id
                rows between unbounded preceding and current row
            )
            - revenue_amount as amount_before
        from rounded
        where revenue_amount > 0
    ),

    tiered as (
        select
            ranked.as_of_date,
            ranked.customer_id,
            case
                when ranked.amount_before < ranked.total_amount * policy.tier_a_revenue_ratio
                then 'A'
                when
                    ranked.place
                    > ranked.customer_count - floor(ranked.customer_count * policy.tier_c_customer_ratio)
                then 'C'
                else 'B'
            end as value_tier,
            {{ ratio("ranked.revenue_amount", "ranked.total_amount") }} as revenue_share_ratio
        from ranked
        cross join policy
    )

select
    rounded.as_of_date,
    rounded.customer_id,
    tiered.value_tier,
    rounded.revenue_amount,
    case
        when rounded.revenue_amount <= 0 then cast(0 as decimal(18, 6)) else tiered.revenue_share_ratio
    end as revenue_share_ratio
from rounded
left join tiered on tiered.as_of_date = rounded.as_of_date and tiered.customer_id = rounded.customer_id
