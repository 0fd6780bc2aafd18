-- What customers say a payment is for. One row per remittance_id, line_number.
select
    remittance_id,
    line_number,
    payment_id,
    payment_reference,
    invoice_reference,
    paid_amount,
    discount_amount,
    deduction_amount,
    reason_code,
    _source,
    _file_id,
    _line,
    _loaded_at
from {{ source("raw", "remittance_lines") }}
