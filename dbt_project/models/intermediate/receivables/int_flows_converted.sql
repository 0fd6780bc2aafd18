-- Daily flows per entity, and those of all entities in group currency at the rate of their day.
-- One row per flow_date, entity_id, currency_code.
-- Entity ALL is not rounded here: sums are, once. unrated_count says how many of its parts have no rate.
with
    flows as (select * from {{ ref("int_flows_daily") }}),
    rates as (select * from {{ ref("int_fx_rates_ranged") }}),
    controls as (select * from {{ ref("stg_controls") }})

select
    flow_date,
    entity_id,
    currency_code,
    cast(invoiced_amount - credited_amount as decimal(38, 16)) as sales_amount,
    cast(invoiced_amount as decimal(38, 16)) as invoiced_amount,
    cast(credited_amount as decimal(38, 16)) as credited_amount,
    cast(collected_amount as decimal(38, 16)) as collected_amount,
    cast(discount_amount as decimal(38, 16)) as discount_amount,
    cast(written_off_amount as decimal(38, 16)) as written_off_amount,
    cast(adjusted_amount as decimal(38, 16)) as adjusted_amount,
    cast(settled_amount as decimal(38, 16)) as settled_amount,
    cast(settled_amount_days_to_pay as decimal(38, 16)) as settled_amount_days_to_pay,
    cast(settled_amount_days_late as decimal(38, 16)) as settled_amount_days_late,
    0 as unrated_count
from flows
union all
select
    flows.flow_date,
    'ALL' as entity_id,
    controls.group_currency_code as currency_code,
    cast(
        sum({{ money("flows.invoiced_amount - flows.credited_amount") }} * rates.rate) as decimal(38, 16)
    ) as sales_amount,
    cast(sum(flows.invoiced_amount * rates.rate) as decimal(38, 16)) as invoiced_amount,
    cast(sum(flows.credited_amount * rates.rate) as decimal(38, 16)) as credited_amount,
    cast(sum(flows.collected_amount * rates.rate) as decimal(38, 16)) as collected_amount,
    cast(sum(flows.discount_amount * rates.rate) as decimal(38, 16)) as discount_amount,
    cast(sum(flows.written_off_amount * rates.rate) as decimal(38, 16)) as written_off_amount,
    cast(sum(flows.adjusted_amount * rates.rate) as decimal(38, 16)) as adjusted_amount,
    cast(sum(flows.settled_amount * rates.rate) as decimal(38, 16)) as settled_amount,
    cast(sum(flows.settled_amount_days_to_pay * rates.rate) as decimal(38, 16)) as settled_amount_days_to_pay,
    cast(sum(flows.settled_amount_days_late * rates.rate) as decimal(38, 16)) as settled_amount_days_late,
    count(*) - count(rates.rate) as unrated_count
from flows
cross join controls
left join
    rates
    on rates.currency_code = flows.currency_code
    and rates.valid_from <= flows.flow_date
    and (rates.valid_before is null or rates.valid_before > flows.flow_date)
group by flows.flow_date, controls.group_currency_code
