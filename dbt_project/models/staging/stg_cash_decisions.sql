-- What persons decided about payments. One row per decision_id.
select
    decision_id,
    payment_id,
    action,
    customer_id,
    invoice_id,
    credit_memo_id,
    application_id,
    reason_code,
    note,
    decided_by,
    amount,
    remember,
    decided_date
from {{ source("raw", "cash_decisions") }}
