-- What segments add up: balances of customers on the run dates, sales before them, and balances on the month
-- ends before. One row per as_of_date, entity_id, customer_id, currency_code, month_number; month_number 0 is
-- the run date. Amounts in group currency are not yet rounded, and null without a rate.
with
    aging as (select * from {{ ref("fct_ar_aging") }}),
    sales as (select * from {{ ref("int_sales_by_customer") }}),
    months as (select * from {{ ref("int_past_due_months") }}),
    past_due as (select * from {{ ref("int_customers_past_due") }}),
    rates as (select * from {{ ref("int_fx_rates_ranged") }}),

    lines as (
        select
            as_of_date,
            as_of_date as figure_date,
            0 as month_number,
            entity_id,
            customer_id,
            currency_code,
            open_amount,
            open_amount - current_amount as past_due_amount,
            past_due_over_90_amount as over_90_amount,
            net_amount,
            0 as sales_amount,
            0 as group_sales_amount
        from aging
        union all
        select
            as_of_date,
            as_of_date,
            0,
            entity_id,
            customer_id,
            currency_code,
            0,
            0,
            0,
            0,
            sales_amount,
            case when unrated_count = 0 then group_sales_amount end
        from sales
        union all
        select
            months.as_of_date,
            months.month_end_date,
            months.month_number,
            past_due.entity_id,
            past_due.customer_id,
            past_due.currency_code,
            past_due.open_amount,
            past_due.past_due_amount,
            0,
            0,
            0,
            0
        from months
        inner join past_due on past_due.month_end_date = months.month_end_date
    ),

    summed as (
        select
            as_of_date,
            figure_date,
            month_number,
            entity_id,
            customer_id,
            currency_code,
            {{ money("sum(open_amount)") }} as open_amount,
            {{ money("sum(past_due_amount)") }} as past_due_amount,
            {{ money("sum(over_90_amount)") }} as over_90_amount,
            {{ money("sum(net_amount)") }} as net_amount,
            {{ money("sum(sales_amount)") }} as sales_amount,
            case
                when count(*) = count(group_sales_amount)
                then cast(sum(group_sales_amount) as decimal(38, 16))
            end as group_sales_amount
        from lines
        group by as_of_date, figure_date, month_number, entity_id, customer_id, currency_code
    )

select
    summed.as_of_date,
    cast(summed.month_number as bigint) as month_number,
    summed.entity_id,
    summed.customer_id,
    summed.currency_code,
    summed.open_amount,
    summed.past_due_amount,
    summed.over_90_amount,
    summed.net_amount,
    summed.sales_amount,
    summed.group_sales_amount,
    rates.rate
from summed
left join
    rates
    on rates.currency_code = summed.currency_code
    and rates.valid_from <= summed.figure_date
    and (rates.valid_before is null or rates.valid_before > summed.figure_date)
