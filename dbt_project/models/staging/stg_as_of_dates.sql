-- The dates of a run: those it publishes and the month ends its KPIs need. One row per as_of_date.
select as_of_date, is_run_date from {{ source("raw", "as_of_dates") }}
