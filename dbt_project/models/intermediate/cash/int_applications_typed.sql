-- Recorded applications with what they do: a reversal undoes the type of what it reverses. One row per
-- application_id.
with
    recorded as (select * from {{ ref("int_applications_recorded") }}),

    -- Few are reversals. What they undo is looked up where it came in: the union above is not made again.
    reversals as (
        select application_id, reverses_application_id
        from {{ ref("stg_payment_applications") }}
        where reverses_application_id is not null
        union all
        select application_id, reverses_application_id
        from {{ ref("stg_engine_applications") }}
        where reverses_application_id is not null
    ),

    reversed as (
        select reversals.application_id, originals.application_type, originals.credit_memo_id
        from reversals
        inner join
            {{ ref("stg_payment_applications") }} as originals
            on originals.application_id = reversals.reverses_application_id
        where originals.application_type <> 'reversal'
        union all
        select reversals.application_id, originals.application_type, originals.credit_memo_id
        from reversals
        inner join
            {{ ref("stg_engine_applications") }} as originals
            on originals.application_id = reversals.reverses_application_id
        where originals.application_type <> 'reversal'
    )

select
    recorded.application_id,
    recorded.payment_id,
    -- a reversal need not repeat which credit memo gets its amount back
    coalesce(recorded.credit_memo_id, reversed.credit_memo_id) as credit_memo_id,
    recorded.invoice_id,
    recorded.reverses_application_id,
    recorded.application_type,
    recorded.rule,
    recorded.explanation,
    recorded.applied_by,
    recorded.applied_amount,
    recorded.score,
    recorded.application_date,
    case
        when recorded.application_type <> 'reversal'
        then recorded.application_type
        else coalesce(reversed.application_type, 'payment')
    end as settlement_type
from recorded
left join reversed on reversed.application_id = recorded.application_id
