-- Blocks that hold on the run date or held before it: leaving a block never sends on the same day, and
-- a block that ended lifts a complaint. One row per as_of_date, block_id.
with
    run_dates as (select as_of_date from {{ ref("stg_as_of_dates") }} where is_run_date),
    blocks as (select * from {{ ref("stg_blocks") }}),

    effective as (
        select
            run_dates.as_of_date,
            blocks.block_id,
            blocks.scope,
            blocks.subject_id,
            blocks.kind,
            blocks.reason,
            blocks.set_by,
            blocks.valid_from,
            blocks.valid_until
        from run_dates
        inner join blocks on blocks.valid_from <= run_dates.as_of_date
    )

select *
from effective
