-- Key figures of a run date stand in group currency, too. Where a balance or a sale of the last year has no
-- rate they cannot: its parts without one are counted here, and nothing stops. Open items without a rate are
-- told by assert_currencies_have_rates.
{{ config(severity="warn", tags=["ties"]) }}

with
    run_dates as (select as_of_date from {{ ref("stg_as_of_dates") }} where is_run_date),
    kpis as (select as_of_date from {{ ref("fct_ar_kpis") }} where entity_id = 'ALL'),
    aged as (
        select as_of_date from {{ ref("int_aged_summed") }} where entity_id = 'ALL' and unrated_count > 0
    ),

    unrated as (
        select balance_date as as_of_date, 'balances' as subject, unrated_count
        from {{ ref("int_net_balances_dated") }}
        where entity_id = 'ALL'
        union all
        select as_of_date, 'flows of a year', unrated_count
        from {{ ref("int_flows_trailing") }}
        where entity_id = 'ALL'
    )

select run_dates.as_of_date, unrated.subject, unrated.unrated_count
from run_dates
inner join unrated on unrated.as_of_date = run_dates.as_of_date
left join kpis on kpis.as_of_date = run_dates.as_of_date
left join aged on aged.as_of_date = run_dates.as_of_date
where kpis.as_of_date is null and aged.as_of_date is null and unrated.unrated_count > 0
