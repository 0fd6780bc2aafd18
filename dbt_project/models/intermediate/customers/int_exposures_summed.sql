-- What each customer owes and has ordered. One row per as_of_date, customer_id in group currency where
-- every currency of the customer has a rate by the as-of date; else one row per currency of the
-- customer, unconverted. Exposure is open items, credit memos taken off, and uninvoiced orders less
-- unapplied cash. A customer with a credit limit and nothing else has a row of zeros. Amounts are
-- summed, converted, summed and rounded once. A limit without currency is in group currency; it is null
-- where it cannot be put into the currency of the row.
{{ config(materialized="table") }}

with
    run_dates as (select as_of_date from {{ ref("stg_as_of_dates") }} where is_run_date),
    controls as (select * from {{ ref("stg_controls") }}),
    currencies as (select * from {{ ref("stg_currencies") }}),
    rates as (select * from {{ ref("int_fx_rates_effective") }}),
    by_currency as (select * from {{ ref("int_exposures_by_currency") }}),
    limits as (
        select
            customers.customer_id,
            customers.credit_limit_amount,
            coalesce(customers.credit_limit_currency_code, controls.group_currency_code) as currency_code
        from {{ ref("int_customers_completed") }} as customers
        cross join controls
        where customers.credit_limit_amount is not null
    ),

    unrated as (
        select distinct by_currency.as_of_date, by_currency.customer_id
        from by_currency
        left join
            rates
            on rates.as_of_date = by_currency.as_of_date
            and rates.currency_code = by_currency.currency_code
        where rates.rate is null
    ),

    -- The currency that each amount is put into and the factor that does it; 1 where it stays as it is.
    placed as (
        select
            by_currency.*,
            case
                when unrated.customer_id is null
                then controls.group_currency_code
                else by_currency.currency_code
            end as row_currency_code,
            case
                when unrated.customer_id is null then rates.rate else cast(1 as decimal(22, 12))
            end as factor
        from by_currency
        cross join controls
        left join
            unrated
            on unrated.as_of_date = by_currency.as_of_date
            and unrated.customer_id = by_currency.customer_id
        left join
            rates
            on rates.as_of_date = by_currency.as_of_date
            and rates.currency_code = by_currency.currency_code
    ),

    summed as (
        select
            as_of_date,
            customer_id,
            row_currency_code as currency_code,
            sum(open_amount * factor) as open_amount,
            sum(credit_memo_amount * factor) as credit_memo_amount,
            sum(unapplied_amount * factor) as unapplied_amount,
            sum(past_due_amount * factor) as past_due_amount,
            sum(disputed_past_due_amount * factor) as disputed_past_due_amount,
            sum(uninvoiced_order_amount * factor) as uninvoiced_order_amount,
            max(oldest_days_past_due) as oldest_days_past_due
        from placed
        group by as_of_date, customer_id, row_currency_code
        union all
        select run_dates.as_of_date, limits.customer_id, controls.group_currency_code, 0, 0, 0, 0, 0, 0, null
        from run_dates
        cross join limits
        cross join controls
        left join
            by_currency
            on by_currency.as_of_date = run_dates.as_of_date
            and by_currency.customer_id = limits.customer_id
        where by_currency.customer_id is null
    ),

    rounded as (
        select
            summed.as_of_date,
            summed.customer_id,
            summed.currency_code,
            {{ rounded("summed.open_amount", "currencies.minor_units") }} as open_amount,
            {{ rounded("summed.credit_memo_amount", "currencies.minor_units") }} as credit_memo_amount,
            {{ rounded("summed.unapplied_amount", "currencies.minor_units") }} as unapplied_amount,
            {{ rounded("summed.past_due_amount", "currencies.minor_units") }} as past_due_amount,
            {{ rounded("summed.disputed_past_due_amount", "currencies.minor_units") }}
            as disputed_past_due_amount,
            {{ rounded("summed.uninvoiced_order_amount", "currencies.minor_units") }}
            as uninvoiced_order_amount,
            case
                when limits.currency_code = summed.currency_code
                then limits.credit_limit_amount
                when summed.currency_code = controls.group_currency_code
                then {{ rounded("limits.credit_limit_amount * rates.rate", "currencies.minor_units") }}
            end as credit_limit_amount,
            cast(summed.oldest_days_past_due as bigint) as oldest_days_past_due
        from summed
        cross join controls
        left join currencies on currencies.currency_code = summed.currency_code
        left join limits on limits.customer_id = summed.customer_id
        left join rates on rates.as_of_date = summed.as_of_date and rates.currency_code = limits.currency_code
    )

select
    as_of_date,
    customer_id,
    currency_code,
    open_amount,
    credit_memo_amount,
    unapplied_amount,
    past_due_amount,
    disputed_past_due_amount,
    uninvoiced_order_amount,
    {{ money("open_amount - credit_memo_amount + uninvoiced_order_amount - unapplied_amount") }}
    as exposure_amount,
    credit_limit_amount,
    oldest_days_past_due
from rounded
