-- Applications of our engine that the ledger has booked itself, so that they no longer count. One row per
-- application_id.
with
    ledger as (select * from {{ ref("stg_payment_applications") }}),

    -- Few are reversals: they go with what they take back, whatever they are called themselves.
    reversals as (
        select * from {{ ref("stg_engine_applications") }} where reverses_application_id is not null
    ),

    engine as (
        select application_id, payment_id, credit_memo_id, invoice_id, application_type as settlement_type
        from {{ ref("stg_engine_applications") }}
        where reverses_application_id is null
        union all
        select
            reversals.application_id,
            reversals.payment_id,
            coalesce(reversals.credit_memo_id, originals.credit_memo_id),
            reversals.invoice_id,
            coalesce(originals.application_type, 'payment')
        from reversals
        left join
            {{ ref("stg_engine_applications") }} as originals
            on originals.application_id = reversals.reverses_application_id
    ),

    -- with the payment, the ledger has also decided what was discounted or given up in its settlement
    booked as (
        select engine.application_id
        from engine
        inner join
            ledger
            on ledger.payment_id = engine.payment_id
            and ledger.invoice_id = engine.invoice_id
            and ledger.application_type in ('payment', 'reversal')
        where engine.settlement_type <> 'credit_memo'
        union
        select engine.application_id
        from engine
        inner join
            ledger
            on ledger.credit_memo_id = engine.credit_memo_id
            and ledger.invoice_id = engine.invoice_id
            and ledger.application_type in ('credit_memo', 'reversal')
        where engine.settlement_type = 'credit_memo'
        union
        select engine.application_id
        from engine
        inner join
            ledger
            on ledger.invoice_id = engine.invoice_id
            and ledger.application_type = engine.settlement_type
            and coalesce(ledger.payment_id, engine.payment_id) = engine.payment_id
        where engine.settlement_type in ('discount', 'write_off')
    )

select application_id
from booked
union
select reversals.application_id
from reversals
inner join booked on booked.application_id = reversals.reverses_application_id
