-- Recorded applications with what they do: a reversal undoes the type of what it reverses. One row per
-- application_id.
with
    recorded as (select * from {{ ref("int_applications_recorded") }}),
    reversals as (
        select * from {{ ref("int_applications_recorded") }} where reverses_application_id is not null
    ),
    originals as (select * from {{ ref("int_applications_recorded") }} where application_type <> 'reversal'),

    reversed as (
        select reversals.application_id, originals.application_type
        from reversals
        inner join originals on originals.application_id = reversals.reverses_application_id
    )

select
    recorded.*,
    case
        when recorded.application_type <> 'reversal'
        then recorded.application_type
        else coalesce(reversed.application_type, 'payment')
    end as settlement_type
from recorded
left join reversed on reversed.application_id = recorded.application_id
