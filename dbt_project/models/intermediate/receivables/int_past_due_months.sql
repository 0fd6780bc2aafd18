-- The last four month ends on or before each run date, the latest first. One row per as_of_date,
-- month_number.
with
    periods as (select * from {{ ref("int_periods_opened") }} where is_run_date),
    numbers as (
        select 1 as month_number
        union all
        select 2
        union all
        select 3
        union all
        select 4
    ),

    -- the first day after the latest month end: that of the next month on the last day of one
    anchored as (
        select
            as_of_date,
            case
                when
                    as_of_date
                    = cast({{ dbt.dateadd("day", -1, dbt.dateadd("month", 1, "month_start_date")) }} as date)
                then cast({{ dbt.dateadd("month", 1, "month_start_date") }} as date)
                else month_start_date
            end as next_month_start_date
        from periods
    )

select
    anchored.as_of_date,
    cast(numbers.month_number as bigint) as month_number,
    cast(
        {{
            dbt.dateadd(
                "day",
                -1,
                dbt.dateadd("month", "(1 - numbers.month_number)", "anchored.next_month_start_date"),
            )
        }} as date
    ) as month_end_date
from anchored
cross join numbers
