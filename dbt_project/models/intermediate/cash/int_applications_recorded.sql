-- Applications of the ledger and of our engine, each once, whatever their date. One row per application_id.
select
    ledger.application_id,
    ledger.payment_id,
    ledger.credit_memo_id,
    ledger.invoice_id,
    ledger.reverses_application_id,
    ledger.application_type,
    cast(null as {{ dbt.type_string() }}) as rule,
    cast(null as {{ dbt.type_string() }}) as explanation,
    'ledger' as applied_by,
    ledger.applied_amount,
    cast(null as decimal(18, 6)) as score,
    ledger.application_date
from {{ ref("stg_payment_applications") }} as ledger
union all
select
    engine.application_id,
    engine.payment_id,
    engine.credit_memo_id,
    engine.invoice_id,
    engine.reverses_application_id,
    engine.application_type,
    engine.rule,
    engine.explanation,
    case when engine.rule = 'person' then 'person' else 'engine' end as applied_by,
    engine.applied_amount,
    engine.score,
    engine.application_date
from {{ ref("stg_engine_applications") }} as engine
-- once the ledger has booked something itself, its row stands for ours
where
    not exists (
        select 1
        from {{ ref("int_applications_superseded") }} as superseded
        where superseded.application_id = engine.application_id
    )
