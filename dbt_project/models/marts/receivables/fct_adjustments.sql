-- What was adjusted on documents beside payments and credit memos, up to the last run date. One row per
-- adjustment_id.
select
    adjustment_id,
    invoice_id,
    entity_id,
    customer_id,
    currency_code,
    adjustment_type,
    reason,
    moved_amount,
    adjustment_date,
    effective_date
from {{ ref("int_adjustments_dated") }}
