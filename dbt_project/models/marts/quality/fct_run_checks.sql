-- Checks of a run and how they came out. One row per run_id, check_name.
select run_id, check_name, expected, actual, passed, severity from {{ ref("stg_run_checks") }}
