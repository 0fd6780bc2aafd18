-- Key figures beside published medians and own targets. One row per as_of_date, entity_id, currency_code,
-- kpi_name. A target of the entity stands before one for all. Where lower is better, a gap above zero is bad.
with
    listed as (select * from {{ ref("int_kpis_listed") }}),
    kpis as (select * from {{ ref("stg_kpis") }}),
    benchmarks as (select * from {{ ref("stg_kpi_benchmarks") }}),
    targets as (select * from {{ ref("stg_kpi_targets") }}),

    compared as (
        select
            listed.as_of_date,
            listed.entity_id,
            listed.currency_code,
            kpis.kpi_order,
            listed.kpi_name,
            kpis.unit,
            kpis.better,
            listed.kpi_value,
            benchmarks.benchmark_value,
            benchmarks.benchmark_period,
            benchmarks.benchmark_source,
            coalesce(own.target_value, common.target_value) as target_value
        from listed
        inner join kpis on kpis.kpi_name = listed.kpi_name
        left join benchmarks on benchmarks.kpi_name = listed.kpi_name
        left join targets as own on own.kpi_name = listed.kpi_name and own.entity_id = listed.entity_id
        left join targets as common on common.kpi_name = listed.kpi_name and common.entity_id is null
    )

select
    as_of_date,
    entity_id,
    currency_code,
    kpi_name,
    unit,
    better,
    kpi_value,
    benchmark_value,
    cast(kpi_value - benchmark_value as decimal(18, 6)) as benchmark_gap_value,
    benchmark_period,
    benchmark_source,
    target_value,
    cast(kpi_value - target_value as decimal(18, 6)) as target_gap_value,
    case
        when better = 'lower' then kpi_value <= target_value else kpi_value >= target_value
    end as is_on_target,
    kpi_order
from compared
