-- The days that figures are about, as MetricFlow wants them. One row per date_day.
select distinct as_of_date as date_day from {{ ref("stg_as_of_dates") }}
