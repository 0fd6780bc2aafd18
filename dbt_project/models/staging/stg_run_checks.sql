-- Checks made outside the warehouse. One row per run_id, check_name.
select run_id, check_name, expected, actual, passed, severity from {{ source("raw", "run_checks") }}
