-- How late customers settled in the 365 days up to the run date. One row per as_of_date, customer_id
-- that settled. Amounts only weigh days here. A customer with several currencies is weighed at the rates
-- of the run date; without one of them its weighted figures are null, the plain averages are not.
{{ config(materialized="table") }}

with
    rates as (select * from {{ ref("int_fx_rates_effective") }}),

    counted as (
        select by_currency.*, count(*) over (partition by as_of_date, customer_id) as currency_count
        from {{ ref("int_settlements_summed") }} as by_currency
    ),

    rated as (
        select counted.*, rates.rate
        from counted
        left join
            rates on rates.as_of_date = counted.as_of_date and rates.currency_code = counted.currency_code
        where counted.currency_count > 1
    ),

    unrated as (select distinct as_of_date, customer_id from rated where rate is null),

    -- Nearly everybody settles in one currency and is spared the conversion.
    summed as (
        select
            as_of_date,
            customer_id,
            settled_count,
            days_to_pay,
            days_late,
            amount,
            amount_days_to_pay,
            amount_days_late,
            last_90_amount,
            last_90_amount_days,
            previous_90_amount,
            previous_90_amount_days
        from counted
        where currency_count = 1
        union all
        select
            rated.as_of_date,
            rated.customer_id,
            sum(rated.settled_count),
            sum(rated.days_to_pay),
            sum(rated.days_late),
            cast(
                sum(case when unrated.customer_id is null then rated.amount * rated.rate end) as decimal(
                    38, 4
                )
            ),
            cast(
                sum(
                    case when unrated.customer_id is null then rated.amount_days_to_pay * rated.rate end
                ) as decimal(38, 4)
            ),
            cast(
                sum(
                    case when unrated.customer_id is null then rated.amount_days_late * rated.rate end
                ) as decimal(38, 4)
            ),
            cast(
                sum(
                    case when unrated.customer_id is null then rated.last_90_amount * rated.rate end
                ) as decimal(38, 4)
            ),
            cast(
                sum(
                    case when unrated.customer_id is null then rated.last_90_amount_days * rated.rate end
                ) as decimal(38, 4)
            ),
            cast(
                sum(
                    case when unrated.customer_id is null then rated.previous_90_amount * rated.rate end
                ) as decimal(38, 4)
            ),
            cast(
                sum(
                    case when unrated.customer_id is null then rated.previous_90_amount_days * rated.rate end
                ) as decimal(38, 4)
            )
        from rated
        left join unrated on unrated.as_of_date = rated.as_of_date and unrated.customer_id = rated.customer_id
        group by rated.as_of_date, rated.customer_id
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
