-- What exchange rates did to a month in group currency, twice: as what is left between the balances and the
-- flows, and as each balance and flow times the change of its own rate. They differ by rounding alone: half a
-- unit for each of the nine amounts of a row.
{{ config(tags=["ties"]) }}

with
    months as (select * from {{ ref("fct_ar_rollforward") }} where entity_id = 'ALL'),
    openings as (select * from {{ ref("fct_ar_rollforward") }} where entity_id <> 'ALL'),
    dated as (select * from {{ ref("int_months_dated") }}),
    flows as (select * from {{ ref("int_flows_daily") }}),
    rates as (select * from {{ ref("int_fx_rates_ranged") }}),

    moved as (
        select
            dated.month_end_date,
            dated.as_of_date,
            openings.currency_code,
            dated.month_opening_date as rate_date,
            openings.opening_amount as moved_amount
        from openings
        inner join dated on dated.month_end_date = openings.month_end_date
        union all
        select
            dated.month_end_date,
            dated.as_of_date,
            flows.currency_code,
            flows.flow_date,
            flows.invoiced_amount
            - flows.credited_amount
            - flows.collected_amount
            - flows.discount_amount
            - flows.written_off_amount
            - flows.adjusted_amount
        from dated
        inner join flows on flows.flow_date > dated.month_opening_date and flows.flow_date <= dated.as_of_date
    ),

    translated as (
        select moved.month_end_date, sum(moved.moved_amount * (nows.rate - thens.rate)) as translated_amount
        from moved
        inner join
            rates as thens
            on thens.currency_code = moved.currency_code
            and thens.valid_from <= moved.rate_date
            and (thens.valid_before is null or thens.valid_before > moved.rate_date)
        inner join
            rates as nows
            on nows.currency_code = moved.currency_code
            and nows.valid_from <= moved.as_of_date
            and (nows.valid_before is null or nows.valid_before > moved.as_of_date)
        group by moved.month_end_date
    )

select months.month_end_date, months.currency_code, months.fx_amount, translated.translated_amount
from months
left join translated on translated.month_end_date = months.month_end_date
left join {{ ref("stg_currencies") }} as currencies on currencies.currency_code = months.currency_code
where
    abs(months.fx_amount - coalesce(translated.translated_amount, 0))
    > case currencies.minor_units when 0 then 4.5 when 2 then 0.045 when 3 then 0.0045 else 0.00045 end
