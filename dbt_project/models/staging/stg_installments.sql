-- Parts of a document that fall due on their own dates. One row per invoice_id, installment_number.
select invoice_id, installment_number, due_date, installment_amount, _source, _file_id, _line, _loaded_at
from {{ source("raw", "installments") }}
