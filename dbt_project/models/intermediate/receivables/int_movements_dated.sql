-- What lowers the open amount of a document, and from when. One row per side of an application or adjustment.
-- Amounts are signed like the document: a credit memo that pays is moved by a negative amount.
select
    invoice_id,
    entity_id,
    currency_code,
    settlement_type as movement_type,
    settled_amount as moved_amount,
    effective_date
from {{ ref("int_applications_unioned") }}
where is_document_counted
union all
select
    credit_memo_id as invoice_id,
    coalesce(source_entity_id, entity_id) as entity_id,
    coalesce(source_currency_code, currency_code) as currency_code,
    'credit_memo' as movement_type,
    {{ money("-applied_amount") }} as moved_amount,
    effective_date
from {{ ref("int_applications_unioned") }}
where is_credit_memo_counted and settlement_type = 'credit_memo'
union all
select
    invoice_id,
    entity_id,
    currency_code,
    case when adjustment_type = 'write_off' then 'write_off' else 'adjustment' end as movement_type,
    moved_amount,
    effective_date
from {{ ref("int_adjustments_dated") }}
