-- Count-back days sales outstanding. One row per as_of_date, entity_id, currency_code; no row when history
-- is exhausted.
-- Months newest first: each whose sales are less than what is left of receivables is subtracted and adds
-- its days;
-- the last counts pro rata. The month of the date counts with its elapsed days.
with
    periods as (select * from {{ ref("int_periods_opened") }}),
    balances as (select * from {{ ref("int_net_balances_dated") }}),
    flows as (select * from {{ ref("int_flows_converted") }}),

    monthly as (
        select
            periods.as_of_date,
            flows.entity_id,
            flows.currency_code,
            cast({{ dbt.date_trunc("month", "flows.flow_date") }} as date) as month_start_date,
            {{ money("sum(flows.sales_amount)") }} as sales_amount,
            sum(flows.unrated_count) as unrated_count
        from periods
        inner join flows on flows.flow_date <= periods.as_of_date
        group by
            periods.as_of_date,
            flows.entity_id,
            flows.currency_code,
            cast({{ dbt.date_trunc("month", "flows.flow_date") }} as date)
    ),

    first_months as (
        select entity_id, currency_code, min(month_start_date) as month_start_date
        from monthly
        group by entity_id, currency_code
    ),

    -- a month without sales has no row above, yet adds its days
    month_starts as (
        select month_start_date
        from periods
        union
        select month_start_date
        from monthly
    ),

    counted as (
        select
            balances.balance_date as as_of_date,
            balances.entity_id,
            balances.currency_code,
            balances.net_amount,
            month_starts.month_start_date,
            coalesce(monthly.unrated_count, 0) as unrated_count,
            greatest(coalesce(monthly.sales_amount, 0), 0) as sales_amount,
            {{
                days_between(
                    "month_starts.month_start_date",
                    "least(cast("
                    ~ dbt.dateadd("month", 1, "month_starts.month_start_date")
                    ~ " as date), cast("
                    ~ dbt.dateadd("day", 1, "balances.balance_date")
                    ~ " as date))",
                )
            }} as month_days
        from periods
        inner join balances on balances.balance_date = periods.as_of_date
        inner join
            first_months
            on first_months.entity_id = balances.entity_id
            and first_months.currency_code = balances.currency_code
        inner join
            month_starts
            on month_starts.month_start_date <= periods.as_of_date
            and month_starts.month_start_date >= first_months.month_start_date
        left join
            monthly
            on monthly.as_of_date = balances.balance_date
            and monthly.entity_id = balances.entity_id
            and monthly.currency_code = balances.currency_code
            and monthly.month_start_date = month_starts.month_start_date
        where balances.net_amount > 0
    ),

    summed as (
        select
            *,
            sum(sales_amount) over newer - sales_amount as newer_sales_amount,
            sum(month_days) over newer - month_days as newer_days,
            sum(unrated_count) over newer as newer_unrated_count
        from counted
        window
            newer as (
                partition by as_of_date, entity_id, currency_code
                order by month_start_date desc
                rows between unbounded preceding and current row
            )
    ),

    -- the one month in which what is left comes to an end
    last_months as (
        select *
        from summed
        where
            newer_sales_amount < net_amount
            and newer_sales_amount + sales_amount >= net_amount
            and newer_unrated_count = 0
    )

select
    as_of_date,
    entity_id,
    currency_code,
    cast(
        newer_days
        + {{ ratio("(net_amount - newer_sales_amount)", "sales_amount", times="month_days") }} as decimal(
            18, 6
        )
    ) as dso_countback_days
from last_months
union all
select
    balances.balance_date as as_of_date,
    balances.entity_id,
    balances.currency_code,
    cast(0 as decimal(18, 6)) as dso_countback_days
from periods
inner join balances on balances.balance_date = periods.as_of_date
where balances.net_amount <= 0
