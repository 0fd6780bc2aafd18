-- Amounts that customers withheld, recorded once. One row per deduction_id.
select
    deduction_id,
    payment_id,
    invoice_id,
    customer_id,
    currency_code,
    customer_reason_code,
    reason_code,
    explanation,
    deduction_amount,
    opens_dispute,
    deducted_date
from {{ source("raw", "cash_deductions") }}
