-- Sums of flows over the periods that end on each date of the run. One row per as_of_date, entity_id,
-- currency_code.
with
    periods as (select * from {{ ref("int_periods_opened") }}),
    flows as (select * from {{ ref("int_flows_converted") }}),
    currencies as (select * from {{ ref("stg_currencies") }}),

    recent as (
        select
            periods.as_of_date,
            flows.entity_id,
            flows.currency_code,
            sum(case when flow_date > month_opening_date then sales_amount else 0 end) as sales_month_amount,
            sum(
                case when flow_date > quarter_opening_date then sales_amount else 0 end
            ) as sales_quarter_amount,
            sum(case when flow_date > days_90_opening_date then sales_amount else 0 end) as sales_90_amount,
            sum(sales_amount) as sales_365_amount,
            sum(written_off_amount) as written_off_365_amount,
            sum(settled_amount) as settled_365_amount,
            sum(settled_amount_days_to_pay) as settled_amount_days_to_pay,
            sum(settled_amount_days_late) as settled_amount_days_late,
            sum(unrated_count) as unrated_count
        from periods
        inner join
            flows on flows.flow_date <= periods.as_of_date and flows.flow_date > periods.days_365_opening_date
        group by periods.as_of_date, flows.entity_id, flows.currency_code
    )

select
    recent.as_of_date,
    recent.entity_id,
    recent.currency_code,
    {{ rounded("recent.sales_month_amount", "currencies.minor_units") }} as sales_month_amount,
    {{ rounded("recent.sales_quarter_amount", "currencies.minor_units") }} as sales_quarter_amount,
    {{ rounded("recent.sales_90_amount", "currencies.minor_units") }} as sales_90_amount,
    {{ rounded("recent.sales_365_amount", "currencies.minor_units") }} as sales_365_amount,
    {{ rounded("recent.written_off_365_amount", "currencies.minor_units") }} as written_off_365_amount,
    cast(recent.settled_365_amount as decimal(28, 4)) as settled_365_amount,
    cast(recent.settled_amount_days_to_pay as decimal(28, 4)) as settled_amount_days_to_pay,
    cast(recent.settled_amount_days_late as decimal(28, 4)) as settled_amount_days_late,
    cast(recent.unrated_count as bigint) as unrated_count
from recent
left join currencies on currencies.currency_code = recent.currency_code
