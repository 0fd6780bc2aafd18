-- What a payment plan wants paid by when. One row per plan_id, line_number.
select
    plan_id,
    line_number,
    invoice_id,
    due_date,
    plan_amount,
    currency_code,
    _source,
    _file_id,
    _line,
    _loaded_at
from {{ source("raw", "plan_lines") }}
