-- Open debit items of customers of high risk, and of all, as published before. One row per as_of_date,
-- entity_id, currency_code.
select as_of_date, entity_id, currency_code, at_risk_amount, open_amount
from {{ source("raw", "risk_history") }}
