-- Own targets, for one entity or, without entity_id, for all others. One row per kpi_name, entity_id.
select kpi_name, entity_id, target_value from {{ source("policy", "kpi_targets") }}
