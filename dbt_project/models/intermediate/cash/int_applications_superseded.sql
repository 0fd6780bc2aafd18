-- Applications of our engine that the ledger has booked itself, so that they no longer count. One row per
-- application_id.
with
    ledger as (select * from {{ ref("stg_payment_applications") }}),

    -- a reversal goes with what it takes back, whatever it is called itself
    engine as (
        select
            ours.application_id,
            ours.payment_id,
            coalesce(ours.credit_memo_id, originals.credit_memo_id) as credit_memo_id,
            ours.invoice_id,
            ours.reverses_application_id,
            coalesce(originals.application_type, ours.application_type) as settlement_type
        from {{ ref("stg_engine_applications") }} as ours
        left join
            {{ ref("stg_engine_applications") }} as originals
            on originals.application_id = ours.reverses_application_id
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
select engine.application_id
from engine
inner join booked on booked.application_id = engine.reverses_application_id
