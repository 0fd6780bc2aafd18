-- Key figures of receivables, at month ends and on the run dates. One row per as_of_date, entity_id,
-- currency_code.
-- Entity ALL is in group currency and has no row on a date when a currency has no rate.
with
    periods as (select * from {{ ref("int_periods_opened") }}),
    balances as (select * from {{ ref("int_net_balances_dated") }}),
    aged as (select * from {{ ref("int_aged_summed") }}),
    recent as (select * from {{ ref("int_flows_trailing") }}),
    counted_back as (select * from {{ ref("int_dso_counted_back") }}),
    at_risk as (select * from {{ ref("int_at_risk_summed") }}),
    historyless as (select * from {{ ref("int_historyless_ledgers") }}),
    kpi_controls as (select * from {{ ref("stg_kpi_controls") }}),
    currencies as (select * from {{ ref("stg_currencies") }}),

    measured as (
        select
            periods.as_of_date,
            periods.is_run_date,
            closing.entity_id,
            closing.currency_code,
            historyless.entity_id is null as has_history,
            closing.net_amount as closing_net_amount,
            coalesce(aged.open_amount, 0) as open_amount,
            coalesce(aged.current_amount, 0) as current_amount,
            coalesce(aged.past_due_amount, 0) as past_due_amount,
            coalesce(aged.oldest_bucket_amount, 0) as oldest_bucket_amount,
            coalesce(aged.item_count, 0) as item_count,
            coalesce(aged.past_due_item_count, 0) as past_due_item_count,
            coalesce(at_risk.open_amount, 0) as at_risk_amount,
            at_risk.published_open_amount,
            -- before its first flow a ledger stands at zero
            case
                when coalesce(month_opening.unrated_count, 0) = 0 then coalesce(month_opening.net_amount, 0)
            end as month_opening_amount,
            case
                when coalesce(quarter_opening.unrated_count, 0) = 0
                then coalesce(quarter_opening.net_amount, 0)
            end as quarter_opening_amount,
            case
                when coalesce(year_opening.unrated_count, 0) = 0 then coalesce(year_opening.net_amount, 0)
            end as year_opening_amount,
            coalesce(recent.sales_month_amount, 0) as sales_month_amount,
            coalesce(recent.sales_quarter_amount, 0) as sales_quarter_amount,
            coalesce(recent.sales_90_amount, 0) as sales_90_amount,
            coalesce(recent.sales_365_amount, 0) as sales_365_amount,
            coalesce(recent.written_off_365_amount, 0) as written_off_365_amount,
            coalesce(recent.settled_365_amount, 0) as settled_365_amount,
            coalesce(recent.settled_amount_days_to_pay, 0) as settled_amount_days_to_pay,
            coalesce(recent.settled_amount_days_late, 0) as settled_amount_days_late,
            counted_back.dso_countback_days,
            kpi_controls.cost_of_capital_ratio,
            currencies.minor_units
        from periods
        cross join kpi_controls
        inner join balances as closing on closing.balance_date = periods.as_of_date
        left join
            balances as month_opening
            on month_opening.balance_date = periods.month_opening_date
            and month_opening.entity_id = closing.entity_id
            and month_opening.currency_code = closing.currency_code
        left join
            balances as quarter_opening
            on quarter_opening.balance_date = periods.quarter_opening_date
            and quarter_opening.entity_id = closing.entity_id
            and quarter_opening.currency_code = closing.currency_code
        left join
            balances as year_opening
            on year_opening.balance_date = periods.days_365_opening_date
            and year_opening.entity_id = closing.entity_id
            and year_opening.currency_code = closing.currency_code
        left join
            aged
            on aged.as_of_date = periods.as_of_date
            and aged.entity_id = closing.entity_id
            and aged.currency_code = closing.currency_code
        left join
            recent
            on recent.as_of_date = periods.as_of_date
            and recent.entity_id = closing.entity_id
            and recent.currency_code = closing.currency_code
        left join
            counted_back
            on counted_back.as_of_date = periods.as_of_date
            and counted_back.entity_id = closing.entity_id
            and counted_back.currency_code = closing.currency_code
        left join
            at_risk
            on at_risk.as_of_date = periods.as_of_date
            and at_risk.entity_id = closing.entity_id
            and at_risk.currency_code = closing.currency_code
        left join
            historyless
            on historyless.entity_id = closing.entity_id
            and historyless.currency_code = closing.currency_code
        left join currencies on currencies.currency_code = closing.currency_code
        where
            closing.unrated_count = 0
            and coalesce(aged.unrated_count, 0) = 0
            and coalesce(recent.unrated_count, 0) = 0
    )

select
    as_of_date,
    entity_id,
    currency_code,
    {{ money("case when has_history then sales_90_amount end") }} as credit_sales_amount,
    {{ money("open_amount") }} as closing_open_amount,
    {{ money("closing_net_amount") }} as closing_net_amount,
    {{ money("past_due_amount") }} as past_due_amount,
    {{ money("closing_net_amount - current_amount") }} as trapped_cash_amount,
    case when has_history then {{ ratio("closing_net_amount", "sales_90_amount", times=90) }} end as dso_days,
    case when has_history then dso_countback_days end as dso_countback_days,
    case
        when has_history then {{ ratio("current_amount", "sales_90_amount", times=90) }}
    end as best_possible_dso_days,
    case
        when has_history
        then {{ ratio("(closing_net_amount - current_amount)", "sales_90_amount", times=90) }}
    end as average_days_delinquent,
    case
        when has_history
        then
            {{
                ratio(
                    "(month_opening_amount + sales_month_amount - closing_net_amount)",
                    "(month_opening_amount + sales_month_amount - current_amount)",
                )
            }}
    end as collection_effectiveness_ratio,
    -- both sides times three: a third of the sales is no decimal
    case
        when has_history
        then
            {{
                ratio(
                    "(3 * quarter_opening_amount + sales_quarter_amount - 3 * closing_net_amount)",
                    "(3 * quarter_opening_amount + sales_quarter_amount - 3 * current_amount)",
                )
            }}
    end as collection_effectiveness_quarter_ratio,
    -- both sides times two: the average of opening and closing
    case
        when has_history
        then {{ ratio("sales_365_amount", "(year_opening_amount + closing_net_amount)", times=2) }}
    end as ar_turnover_ratio,
    {{ ratio("past_due_amount", "open_amount") }} as past_due_ratio,
    {{ ratio("oldest_bucket_amount", "open_amount") }} as over_90_ratio,
    {{ ratio("past_due_item_count", "item_count") }} as past_due_invoice_ratio,
    case
        when has_history then {{ ratio("settled_amount_days_to_pay", "settled_365_amount") }}
    end as weighted_days_to_pay,
    case
        when has_history then {{ ratio("settled_amount_days_late", "settled_365_amount") }}
    end as weighted_days_late,
    -- risk classes are found on the run dates; of other dates it is known what was published
    case
        when is_run_date
        then {{ ratio("at_risk_amount", "open_amount") }}
        else {{ ratio("at_risk_amount", "published_open_amount") }}
    end as at_risk_ratio,
    case
        when has_history then {{ ratio("written_off_365_amount", "sales_365_amount") }}
    end as bad_debt_ratio,
    {{ money("current_amount") }} as current_amount,
    {{ money("oldest_bucket_amount") }} as over_90_amount,
    cast(item_count as bigint) as open_item_count,
    cast(past_due_item_count as bigint) as past_due_item_count,
    -- what is trapped for a year costs a year's interest; where more is paid than is late, nothing is
    {{
        rounded(
            "(cast(greatest(closing_net_amount - current_amount, 0) as decimal(28, 4)) * cost_of_capital_ratio)",
            "minor_units",
        )
    }}
    as carrying_cost_amount,
    -- what the ratios above are made of, so that figures of several entities can be made of it again
    {{ money("case when has_history then month_opening_amount end") }} as month_opening_net_amount,
    {{ money("case when has_history then sales_month_amount end") }} as month_credit_sales_amount,
    {{ money("case when has_history then quarter_opening_amount end") }} as quarter_opening_net_amount,
    {{ money("case when has_history then sales_quarter_amount end") }} as quarter_credit_sales_amount,
    {{ money("case when has_history then year_opening_amount end") }} as year_opening_net_amount,
    {{ money("case when has_history then sales_365_amount end") }} as year_credit_sales_amount,
    {{ money("case when has_history then written_off_365_amount end") }} as year_written_off_amount,
    {{ money("case when has_history then settled_365_amount end") }} as year_settled_amount,
    cast(
        case when has_history then settled_amount_days_to_pay end as decimal(28, 4)
    ) as year_settled_days_to_pay,
    cast(case when has_history then settled_amount_days_late end as decimal(28, 4)) as year_settled_days_late,
    {{ money("case when is_run_date or published_open_amount is not null then at_risk_amount end") }}
    as at_risk_amount,
    {{ money("case when is_run_date then open_amount else published_open_amount end") }}
    as at_risk_open_amount
from measured
