-- Checks of a run and how they came out. One row per run_id, check_name.
-- A view: the audit that tests the marts adds its own findings last.
{{ config(materialized="view") }}

select run_id, check_name, expected, actual, passed, severity
from {{ ref("stg_run_checks") }}
