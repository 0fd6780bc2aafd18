-- Whose payments are that named no customer, recorded once. One row per payment_id, assigned_date.
select payment_id, customer_id, rule, explanation, score, assigned_date
from {{ source("raw", "payer_assignments") }}
