-- How late customers settled in the 365 days up to the run date. One row per as_of_date, customer_id
-- that settled. Amounts only weigh days here. A customer with several currencies is weighed at the rates
-- of the run date; without one of them its weighted figures are null, the plain averages are not.
{{ config(materialized="table") }}

with
    rates as (select * from {{ ref("int_fx_rates_effective") }}),
    by_currency as (select * from {{ ref("int_settlements_summed") }}),

    rated as (
        select
            by_currency.as_of_date,
            by_currency.customer_id,
            count(*) as currency_count,
            count(rates.rate) as rate_count
        from by_currency
        left join
            rates
            on rates.as_of_date = by_currency.as_of_date
            and rates.currency_code = by_currency.currency_code
        group by by_currency.as_of_date, by_currency.customer_id
    ),

    factored as (
        select
            by_currency.*,
            case
                when rated.currency_count = 1
                then cast(1 as decimal(22, 12))
                when rated.rate_count = rated.currency_count
                then rates.rate
            end as factor
        from by_currency
        inner join
            rated on rated.as_of_date = by_currency.as_of_date and rated.customer_id = by_currency.customer_id
        left join
            rates
            on rates.as_of_date = by_currency.as_of_date
            and rates.currency_code = by_currency.currency_code
    ),

    summed as (
        select
            as_of_date,
            customer_id,
            sum(settled_count) as settled_count,
            sum(days_to_pay) as days_to_pay,
            sum(days_late) as days_late,
            cast(sum(amount * factor) as decimal(38, 4)) as amount,
            cast(sum(amount_days_to_pay * factor) as decimal(38, 4)) as amount_days_to_pay,
            cast(sum(amount_days_late * factor) as decimal(38, 4)) as amount_days_late,
            cast(sum(last_90_amount * factor) as decimal(38, 4)) as last_90_amount,
            cast(sum(last_90_amount_days * factor) as decimal(38, 4)) as last_90_amount_days,
            cast(sum(previous_90_amount * factor) as decimal(38, 4)) as previous_90_amount,
            cast(sum(previous_90_amount_days * factor) as decimal(38, 4)) as previous_90_amount_days
        from factored
        group by as_of_date, customer_id
    )

select
    as_of_date,
    customer_id,
    cast(settled_count as bigint) as settled_invoice_count,
    {{ ratio("days_to_pay", "settled_count") }} as average_days_to_pay,
    {{ ratio("days_late", "settled_count") }} as average_days_late,
    {{ ratio("amount_days_to_pay", "amount") }} as weighted_days_to_pay,
    {{ ratio("amount_days_late", "amount") }} as weighted_days_late,
    {{ ratio("last_90_amount_days", "last_90_amount") }} as weighted_days_late_last_90_days,
    {{ ratio("previous_90_amount_days", "previous_90_amount") }} as weighted_days_late_previous_90_days,
    {{ ratio("amount_days_late - last_90_amount_days", "amount - last_90_amount") }}
    as weighted_days_late_previous_275_days
from summed
