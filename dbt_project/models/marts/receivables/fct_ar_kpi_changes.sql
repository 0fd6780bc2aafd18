-- Key figures less those of the month end before. One row per as_of_date, entity_id, currency_code. Null
-- where either is not known.
with
    kpis as (select * from {{ ref("fct_ar_kpis") }}),
    -- read apart: what is read once is not kept in memory
    earlier as (select * from {{ ref("fct_ar_kpis") }}),
    periods as (select * from {{ ref("int_periods_opened") }})

select
    kpis.as_of_date,
    kpis.entity_id,
    kpis.currency_code,
    {{ money("kpis.credit_sales_amount - earlier.credit_sales_amount") }} as credit_sales_change_amount,
    {{ money("kpis.closing_open_amount - earlier.closing_open_amount") }} as closing_open_change_amount,
    {{ money("kpis.closing_net_amount - earlier.closing_net_amount") }} as closing_net_change_amount,
    {{ money("kpis.past_due_amount - earlier.past_due_amount") }} as past_due_change_amount,
    {{ money("kpis.trapped_cash_amount - earlier.trapped_cash_amount") }} as trapped_cash_change_amount,
    {{ money("kpis.over_90_amount - earlier.over_90_amount") }} as over_90_change_amount,
    cast(kpis.dso_days - earlier.dso_days as decimal(18, 6)) as dso_change_days,
    cast(kpis.dso_countback_days - earlier.dso_countback_days as decimal(18, 6)) as dso_countback_change_days,
    cast(
        kpis.best_possible_dso_days - earlier.best_possible_dso_days as decimal(18, 6)
    ) as best_possible_dso_change_days,
    cast(
        kpis.average_days_delinquent - earlier.average_days_delinquent as decimal(18, 6)
    ) as average_days_change_delinquent,
    cast(
        kpis.collection_effectiveness_ratio - earlier.collection_effectiveness_ratio as decimal(18, 6)
    ) as collection_effectiveness_change_ratio,
    cast(
        kpis.collection_effectiveness_quarter_ratio
        - earlier.collection_effectiveness_quarter_ratio as decimal(18, 6)
    ) as collection_effectiveness_quarter_change_ratio,
    cast(kpis.ar_turnover_ratio - earlier.ar_turnover_ratio as decimal(18, 6)) as ar_turnover_change_ratio,
    cast(kpis.past_due_ratio - earlier.past_due_ratio as decimal(18, 6)) as past_due_change_ratio,
    cast(kpis.over_90_ratio - earlier.over_90_ratio as decimal(18, 6)) as over_90_change_ratio,
    cast(
        kpis.past_due_invoice_ratio - earlier.past_due_invoice_ratio as decimal(18, 6)
    ) as past_due_invoice_change_ratio,
    cast(
        kpis.weighted_days_to_pay - earlier.weighted_days_to_pay as decimal(18, 6)
    ) as weighted_days_to_change_pay,
    cast(kpis.weighted_days_late - earlier.weighted_days_late as decimal(18, 6)) as weighted_days_change_late,
    cast(kpis.at_risk_ratio - earlier.at_risk_ratio as decimal(18, 6)) as at_risk_change_ratio,
    cast(kpis.bad_debt_ratio - earlier.bad_debt_ratio as decimal(18, 6)) as bad_debt_change_ratio,
    earlier.as_of_date as previous_month_end_date
from kpis
inner join periods on periods.as_of_date = kpis.as_of_date
left join
    earlier
    on earlier.as_of_date = periods.month_opening_date
    and earlier.entity_id = kpis.entity_id
    and earlier.currency_code = kpis.currency_code
