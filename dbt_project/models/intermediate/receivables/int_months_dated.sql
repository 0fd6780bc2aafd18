-- Months of the run and how far each is seen: to its end, or to the last date of the run in it.
-- One row per month_end_date.
with
    periods as (select * from {{ ref("int_periods_opened") }}),

    months as (
        select month_start_date, month_opening_date, max(as_of_date) as as_of_date
        from periods
        group by month_start_date, month_opening_date
    ),

    ended as (
        select
            *,
            cast(
                {{ dbt.dateadd("day", -1, dbt.dateadd("month", 1, "month_start_date")) }} as date
            ) as month_end_date
        from months
    )

select month_end_date, month_opening_date, as_of_date, as_of_date = month_end_date as is_complete_month
from ended
