-- A source gives write-offs as adjustments or as applications: given both ways they would count twice.
{{ config(tags=["ties"]) }}

with
    adjusted as (
        select _source, count(*) as adjustment_count, sum(adjustment_amount) as adjustment_amount
        from {{ ref("stg_adjustments") }}
        where adjustment_type = 'write_off'
        group by _source
    ),

    applied as (
        select _source, count(*) as application_count, sum(applied_amount) as applied_amount
        from {{ ref("stg_payment_applications") }}
        where application_type = 'write_off'
        group by _source
    )

select
    adjusted._source,
    adjusted.adjustment_count,
    adjusted.adjustment_amount,
    applied.application_count,
    applied.applied_amount
from adjusted
inner join applied on applied._source = adjusted._source
