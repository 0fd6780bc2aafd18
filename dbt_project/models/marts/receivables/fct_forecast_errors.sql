-- Earlier cash forecasts held against what came by the last run date. One row per forecast_date, entity_id,
-- currency_code, week_start_date: the weeks that have ended. Forecasts come out of published history, and
-- out of this
-- build for the dates that it makes anew. What came is the cash of the week less what of it paid documents
-- dated after
-- the forecast, which the forecast could not know; of the first week the days after the forecast count.
with
    run_dates as (select as_of_date from {{ ref("stg_as_of_dates") }} where is_run_date),
    last_run as (select max(as_of_date) as as_of_date from run_dates),
    policy as (select * from {{ ref("stg_reporting_policy") }}),

    forecasts as (
        select
            as_of_date,
            entity_id,
            currency_code,
            week_number,
            week_start_date,
            is_beyond_horizon,
            expected_amount,
            low_amount,
            high_amount
        from {{ ref("fct_cash_forecast") }}
        union all
        select
            as_of_date,
            entity_id,
            currency_code,
            week_number,
            week_start_date,
            is_beyond_horizon,
            expected_amount,
            low_amount,
            high_amount
        from {{ ref("stg_forecast_history") }}
        where as_of_date not in (select as_of_date from run_dates)
    ),

    ended as (
        select
            forecasts.*,
            last_run.as_of_date as last_as_of_date,
            cast({{ dbt.dateadd("day", 6, "forecasts.week_start_date") }} as date) as week_end_date
        from forecasts
        cross join last_run
        cross join policy
        where
            not forecasts.is_beyond_horizon
            and {{ days_between("forecasts.week_start_date", "last_run.as_of_date") }} >= 6
            and {{ days_between("forecasts.as_of_date", "last_run.as_of_date") }} <= policy.error_history_days
    ),

    collected as (
        select
            ended.as_of_date,
            ended.entity_id,
            ended.currency_code,
            ended.week_number,
            sum(flows.collected_amount) as amount
        from ended
        inner join
            {{ ref("int_flows_daily") }} as flows
            on flows.entity_id = ended.entity_id
            and flows.currency_code = ended.currency_code
            and flows.flow_date > ended.as_of_date
            and flows.flow_date between ended.week_start_date and ended.week_end_date
        group by ended.as_of_date, ended.entity_id, ended.currency_code, ended.week_number
    ),

    -- without a forecast to test, nothing is read
    applied as (
        select
            documents.entity_id,
            documents.currency_code,
            documents.counts_from_date,
            applications.effective_date,
            sum(applications.applied_amount) as amount
        from {{ ref("int_applications_unioned") }} as applications
        inner join
            {{ ref("int_invoices_settled") }} as documents on documents.invoice_id = applications.invoice_id
        where
            applications.settlement_type = 'payment'
            and documents.counts_from_date > (select min(as_of_date) from ended)
        group by
            documents.entity_id,
            documents.currency_code,
            documents.counts_from_date,
            applications.effective_date
    ),

    newer as (
        select
            ended.as_of_date,
            ended.entity_id,
            ended.currency_code,
            ended.week_number,
            sum(applied.amount) as amount
        from ended
        inner join
            applied
            on applied.entity_id = ended.entity_id
            and applied.currency_code = ended.currency_code
            and applied.counts_from_date > ended.as_of_date
            and applied.effective_date between ended.week_start_date and ended.week_end_date
        group by ended.as_of_date, ended.entity_id, ended.currency_code, ended.week_number
    ),

    compared as (
        select
            ended.*,
            {{ money("coalesce(collected.amount, 0)") }} as total_collected_amount,
            {{ money("coalesce(collected.amount, 0) - coalesce(newer.amount, 0)") }} as collected_amount
        from ended
        left join collected using (as_of_date, entity_id, currency_code, week_number)
        left join newer using (as_of_date, entity_id, currency_code, week_number)
    )

select
    as_of_date as forecast_date,
    entity_id,
    currency_code,
    expected_amount,
    low_amount,
    high_amount,
    collected_amount,
    {{ money("collected_amount - expected_amount") }} as error_amount,
    total_collected_amount,
    week_number,
    collected_amount between low_amount and high_amount as is_within_range,
    week_start_date,
    last_as_of_date as as_of_date
from compared
