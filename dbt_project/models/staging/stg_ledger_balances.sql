-- Control accounts of the general ledger. One row per entity_id, currency_code, balance_date.
select entity_id, currency_code, balance_date, control_account_amount, _source, _file_id, _line, _loaded_at
from {{ source("raw", "ledger_balances") }}
