-- Cash expected by week from what is open, with a low and a high case. One row per as_of_date, entity_id,
-- currency_code, week_start_date: the weeks of the horizon and one row for all that is later, disputed,
-- doubtful or
-- owed to customers. The expected amounts of an entity and currency sum to its net receivables: of each
-- week the
-- policy's mix of three cases, rounded once; the last row has the rest.
with
    weeks as (select * from {{ ref("stg_forecast_weeks") }}),
    books as (select distinct as_of_date, entity_id, currency_code from {{ ref("fct_ar_aging") }}),
    policy as (select * from {{ ref("stg_reporting_policy") }}),
    currencies as (select * from {{ ref("stg_currencies") }}),

    cases as (
        select
            as_of_date,
            entity_id,
            currency_code,
            week_number,
            sum(case when scenario = 'early' then amount else 0 end) as early_amount,
            sum(case when scenario = 'usual' then amount else 0 end) as usual_amount,
            sum(case when scenario = 'late' then amount else 0 end) as late_amount
        from {{ ref("int_weeks_netted") }}
        group by as_of_date, entity_id, currency_code, week_number
    ),

    parts as (
        select
            as_of_date,
            entity_id,
            currency_code,
            usual_week as week_number,
            sum(case when part = 'promised' then part_amount else 0 end) as promised_amount,
            sum(
                case when part = 'habitual' and basis <> 'customer' then part_amount else 0 end
            ) as fallback_amount,
            sum(case when part = 'disputed' then part_amount else 0 end) as disputed_amount,
            sum(case when part = 'doubtful' then part_amount else 0 end) as doubtful_amount
        from {{ ref("int_items_expected") }}
        group by as_of_date, entity_id, currency_code, usual_week
    ),

    filled as (
        select
            books.as_of_date,
            books.entity_id,
            books.currency_code,
            weeks.week_number,
            weeks.is_beyond_horizon,
            {{ money("coalesce(cases.early_amount, 0)") }} as early_amount,
            {{ money("coalesce(cases.usual_amount, 0)") }} as usual_amount,
            {{ money("coalesce(cases.late_amount, 0)") }} as late_amount
        from books
        cross join weeks
        left join cases using (as_of_date, entity_id, currency_code, week_number)
    ),

    mixed as (
        select
            filled.*,
            case
                when not filled.is_beyond_horizon
                then
                    {{
                        rounded(
                            "cast(filled.early_amount as decimal(28, 4)) * policy.early_weight"
                            ~ " + cast(filled.late_amount as decimal(28, 4)) * policy.late_weight"
                            ~ " + cast(filled.usual_amount as decimal(28, 4))"
                            ~ " * (1 - policy.early_weight - policy.late_weight)",
                            "currencies.minor_units",
                        )
                    }}
            end as mixed_amount,
            sum(filled.usual_amount) over (
                partition by filled.as_of_date, filled.entity_id, filled.currency_code
            ) as net_amount
        from filled
        cross join policy
        left join currencies on currencies.currency_code = filled.currency_code
    ),

    expected as (
        select
            *,
            coalesce(
                mixed_amount,
                net_amount
                - sum(coalesce(mixed_amount, 0)) over (partition by as_of_date, entity_id, currency_code)
            ) as expected_amount
        from mixed
    )

select
    expected.as_of_date,
    expected.entity_id,
    expected.currency_code,
    {{ money("expected.expected_amount") }} as expected_amount,
    -- the mix is rounded, and what is left of rounding stands in the last row
    {{
        money(
            "least(expected.early_amount, expected.usual_amount, expected.late_amount, expected.expected_amount)"
        )
    }}
    as low_amount,
    {{
        money(
            "greatest(expected.early_amount, expected.usual_amount, expected.late_amount, expected.expected_amount)"
        )
    }}
    as high_amount,
    {{ money("coalesce(parts.promised_amount, 0)") }} as promised_amount,
    {{ money("coalesce(parts.fallback_amount, 0)") }} as fallback_amount,
    {{ money("coalesce(parts.disputed_amount, 0)") }} as disputed_amount,
    {{ money("coalesce(parts.doubtful_amount, 0)") }} as doubtful_amount,
    expected.week_number,
    expected.is_beyond_horizon,
    cast(
        {{
            dbt.dateadd(
                "day",
                "cast(7 * (expected.week_number - 1) as integer)",
                dbt.date_trunc("week", dbt.dateadd("day", 1, "expected.as_of_date")),
            )
        }} as date
    ) as week_start_date
from expected
left join parts using (as_of_date, entity_id, currency_code, week_number)
