-- Days to pay and cash-in before and from the baseline date on (policies/reporting.yml: baseline_date). One
-- row per
-- as_of_date, entity_id, currency_code, period. Both periods have as many days: those from the baseline
-- date to the
-- as-of date, at most baseline_days; the later one ends on the as-of date, the earlier one the day before the
-- baseline date. No rows before the baseline date, without one, or where only open amounts are known.
with
    run_dates as (select as_of_date from {{ ref("stg_as_of_dates") }} where is_run_date),
    historyless as (select * from {{ ref("int_historyless_ledgers") }}),
    flows as (select * from {{ ref("int_flows_daily") }}),

    lengths as (
        select
            run_dates.as_of_date,
            policy.baseline_date,
            least(
                {{ days_between("policy.baseline_date", "run_dates.as_of_date") }} + 1, policy.baseline_days
            ) as day_count
        from run_dates
        inner join {{ ref("stg_reporting_policy") }} as policy on policy.baseline_date <= run_dates.as_of_date
    ),

    periods as (
        select as_of_date, 'before' as period, day_count, baseline_date as before_date
        from lengths
        union all
        select as_of_date, 'after', day_count, cast({{ dbt.dateadd("day", 1, "as_of_date") }} as date)
        from lengths
    ),

    bounded as (
        select
            *,
            cast({{ dbt.dateadd("day", "cast(- day_count as integer)", "before_date") }} as date) as from_date
        from periods
    ),

    summed as (
        select
            bounded.as_of_date,
            flows.entity_id,
            flows.currency_code,
            bounded.period,
            bounded.day_count,
            bounded.from_date,
            bounded.before_date,
            sum(flows.invoiced_amount - flows.credited_amount) as credit_sales_amount,
            sum(flows.collected_amount) as collected_amount,
            sum(flows.settled_amount) as settled_amount,
            sum(flows.settled_amount_days_to_pay) as settled_amount_days_to_pay,
            sum(flows.settled_amount_days_late) as settled_amount_days_late
        from bounded
        inner join flows on flows.flow_date >= bounded.from_date and flows.flow_date < bounded.before_date
        left join
            historyless
            on historyless.entity_id = flows.entity_id
            and historyless.currency_code = flows.currency_code
        where historyless.entity_id is null
        group by
            bounded.as_of_date,
            flows.entity_id,
            flows.currency_code,
            bounded.period,
            bounded.day_count,
            bounded.from_date,
            bounded.before_date
    )

select
    as_of_date,
    entity_id,
    currency_code,
    period,
    {{ money("credit_sales_amount") }} as credit_sales_amount,
    {{ money("collected_amount") }} as collected_amount,
    {{ ratio("settled_amount_days_to_pay", "settled_amount") }} as weighted_days_to_pay,
    {{ ratio("settled_amount_days_late", "settled_amount") }} as weighted_days_late,
    {{ ratio("collected_amount", "credit_sales_amount") }} as cash_in_ratio,
    cast(day_count as bigint) as day_count,
    from_date,
    cast({{ dbt.dateadd("day", -1, "before_date") }} as date) as until_date
from summed
