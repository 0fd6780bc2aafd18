-- Where the periods of each date of the run begin: the last day before each. One row per as_of_date.
with
    as_of_dates as (select * from {{ ref("stg_as_of_dates") }}),

    months as (
        select
            as_of_date,
            is_run_date,
            cast({{ dbt.date_trunc("month", "as_of_date") }} as date) as month_start_date
        from as_of_dates
    )

select
    as_of_date,
    is_run_date,
    month_start_date,
    cast({{ dbt.dateadd("day", -1, "month_start_date") }} as date) as month_opening_date,
    cast(
        {{ dbt.dateadd("day", -1, dbt.dateadd("month", -2, "month_start_date")) }} as date
    ) as quarter_opening_date,
    cast({{ dbt.dateadd("day", -90, "as_of_date") }} as date) as days_90_opening_date,
    cast({{ dbt.dateadd("day", -365, "as_of_date") }} as date) as days_365_opening_date
from months
