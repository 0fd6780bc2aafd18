-- Input rows refused, or loaded with a warning, each with its reason. One row per file_id, table_name,
-- line, reason_code. Landing saw one row at a time and kept it as it was read; what only shows between
-- tables and dates is added here, and file_id and line lead to the row.
with
    landed as (select * from {{ ref("stg_rejected_rows") }}),
    noticed as (
        select *
        from {{ ref("int_rows_unknown") }}
        union all
        select *
        from {{ ref("int_rows_paid_early") }}
    )

select file_id, source, table_name, line, severity, reason_code, reason, raw_row
from landed
union all
select
    noticed.file_id,
    noticed.source,
    noticed.table_name,
    noticed.line,
    noticed.severity,
    noticed.reason_code,
    noticed.reason,
    cast(null as {{ dbt.type_string() }}) as raw_row
from noticed
-- landing may have seen the same
left join
    landed
    on landed.file_id = noticed.file_id
    and landed.table_name = noticed.table_name
    and landed.line = noticed.line
    and landed.reason_code = noticed.reason_code
where landed.file_id is null
