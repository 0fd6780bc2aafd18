-- Our legal entities, and a stub with the controls' defaults for each that only documents mention.
-- One row per entity_id.
{{ config(materialized="table") }}

with
    entities as (select * from {{ ref("stg_entities") }}),
    controls as (select * from {{ ref("stg_controls") }}),

    mentioned as (
        select entity_id
        from {{ ref("stg_invoices") }}
        union
        select entity_id
        from {{ ref("stg_payments") }}
        union
        select entity_id
        from {{ ref("stg_orders") }}
        union
        select entity_id
        from {{ ref("stg_ledger_balances") }}
    ),

    completed as (
        select entity_id, entity_name, country_code, currency_code, time_zone, remit_to, false as is_stub
        from entities
        union all
        select
            mentioned.entity_id,
            mentioned.entity_id,
            controls.country_code,
            controls.group_currency_code,
            controls.time_zone,
            cast(null as {{ dbt.type_string() }}),
            true
        from mentioned
        cross join controls
        left join entities on entities.entity_id = mentioned.entity_id
        where entities.entity_id is null
    )

select *
from completed
