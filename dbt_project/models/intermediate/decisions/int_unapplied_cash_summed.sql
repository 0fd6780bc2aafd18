-- Cash not yet set against a document on the run date. One row per as_of_date, entity_id, customer_id,
-- currency_code; cash of unknown payers stands under (unidentified).
select as_of_date, entity_id, customer_id, currency_code, unapplied_amount
from {{ ref("int_unapplied_cash_dated") }}
where is_run_date and unapplied_amount <> 0
