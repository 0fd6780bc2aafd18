-- Cash expected by week from what is open, with a low and a high case. One row per as_of_date, entity_id,
-- currency_code, week_start_date: the weeks of the horizon and one row for all that is later, disputed,
-- doubtful or
-- owed to customers. The expected amounts of an entity and currency sum to its net receivables.
with
    weeks as (select * from {{ ref("stg_forecast_weeks") }}),
    netted as (select * from {{ ref("int_weeks_netted") }}),
    books as (select distinct as_of_date, entity_id, currency_code from {{ ref("fct_ar_aging") }}),

    cases as (
        select
            as_of_date,
            entity_id,
            currency_code,
            week_number,
            sum(case when scenario = 'early' then amount else 0 end) as early_amount,
            sum(case when scenario = 'usual' then amount else 0 end) as usual_amount,
            sum(case when scenario = 'late' then amount else 0 end) as late_amount
        from netted
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
    )

select
    books.as_of_date,
    books.entity_id,
    books.currency_code,
    {{ money("coalesce(cases.usual_amount, 0)") }} as expected_amount,
    {{
        money(
            "least(coalesce(cases.early_amount, 0), coalesce(cases.usual_amount, 0), coalesce(cases.late_amount, 0))"
        )
    }}
    as low_amount,
    {{
        money(
            "greatest(coalesce(cases.early_amount, 0), coalesce(cases.usual_amount, 0), coalesce(cases.late_amount, 0))"
        )
    }}
    as high_amount,
    {{ money("coalesce(parts.promised_amount, 0)") }} as promised_amount,
    {{ money("coalesce(parts.fallback_amount, 0)") }} as fallback_amount,
    {{ money("coalesce(parts.disputed_amount, 0)") }} as disputed_amount,
    {{ money("coalesce(parts.doubtful_amount, 0)") }} as doubtful_amount,
    weeks.week_number,
    weeks.is_beyond_horizon,
    cast(
        {{
            dbt.dateadd(
                "day",
                "cast(7 * (weeks.week_number - 1) as integer)",
                dbt.date_trunc("week", dbt.dateadd("day", 1, "books.as_of_date")),
            )
        }} as date
    ) as week_start_date
from books
cross join weeks
left join cases using (as_of_date, entity_id, currency_code, week_number)
left join parts using (as_of_date, entity_id, currency_code, week_number)
