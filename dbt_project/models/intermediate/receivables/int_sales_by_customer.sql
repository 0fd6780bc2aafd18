-- Credit sales of the 90 days before each run date. One row per as_of_date, entity_id, customer_id,
-- currency_code. In group currency at the rates of the documents' days, not yet rounded.
with
    periods as (select * from {{ ref("int_periods_opened") }} where is_run_date),
    rates as (select * from {{ ref("int_fx_rates_ranged") }}),

    daily as (
        select
            entity_id,
            customer_id,
            currency_code,
            counts_from_date as sales_date,
            sum(invoice_amount) as sales_amount
        from {{ ref("int_invoices_settled") }}
        where
            not is_cancelled
            and counts_from_date
            > (select min(days_90_opening_date) from {{ ref("int_periods_opened") }} where is_run_date)
        group by entity_id, customer_id, currency_code, counts_from_date
    )

select
    periods.as_of_date,
    daily.entity_id,
    daily.customer_id,
    daily.currency_code,
    {{ money("sum(daily.sales_amount)") }} as sales_amount,
    cast(sum({{ money("daily.sales_amount") }} * rates.rate) as decimal(38, 16)) as group_sales_amount,
    count(*) - count(rates.rate) as unrated_count
from periods
inner join daily on daily.sales_date <= periods.as_of_date and daily.sales_date > periods.days_90_opening_date
left join
    rates
    on rates.currency_code = daily.currency_code
    and rates.valid_from <= daily.sales_date
    and (rates.valid_before is null or rates.valid_before > daily.sales_date)
group by periods.as_of_date, daily.entity_id, daily.customer_id, daily.currency_code
