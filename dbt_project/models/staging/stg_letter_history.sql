-- Letters decided before the run's date, as the ledger has them. One row per letter_id.
select letter_id, kind, entity_id, customer_id, currency_code, level, state, decided_as_of_date, sent_date
from {{ source("raw", "letter_history") }}
