-- Items that a letter lists, as it lists them.
-- One row per letter_id, line_number.
select
    letter_id,
    cast(line_number as bigint) as line_number,
    invoice_id,
    cast(installment_number as bigint) as installment_number,
    invoice_number,
    po_number,
    currency_code,
    occasion,
    cast(invoice_amount as decimal(18, 4)) as invoice_amount,
    cast(disputed_amount as decimal(18, 4)) as disputed_amount,
    cast(amount as decimal(18, 4)) as amount,
    cast(days_past_due as bigint) as days_past_due,
    cast(invoice_date as date) as invoice_date,
    cast(due_date as date) as due_date
from {{ source("decided", "letter_lines") }}
