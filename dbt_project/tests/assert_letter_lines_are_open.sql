-- Every line of a letter that the last run decided stands for an item of that customer, entity and currency
-- which is open on that date with at least the line's amount, listed once.
with
    run_dates as (select as_of_date from {{ ref("stg_as_of_dates") }} where is_run_date),
    lines as (
        select
            letters.decided_as_of_date as as_of_date,
            letters.entity_id,
            letters.customer_id,
            letter_lines.letter_id,
            letter_lines.invoice_id,
            letter_lines.installment_number,
            letter_lines.currency_code,
            sum(letter_lines.amount) as line_amount,
            count(*) as line_count
        from {{ ref("fct_letter_lines") }} as letter_lines
        inner join {{ ref("fct_letters") }} as letters on letters.letter_id = letter_lines.letter_id
        inner join run_dates on run_dates.as_of_date = letters.decided_as_of_date
        where letters.is_of_last_run
        group by
            letters.decided_as_of_date,
            letters.entity_id,
            letters.customer_id,
            letter_lines.letter_id,
            letter_lines.invoice_id,
            letter_lines.installment_number,
            letter_lines.currency_code
    )

select lines.*, open_items.open_amount
from lines
left join
    {{ ref("fct_open_items") }} as open_items
    on open_items.as_of_date = lines.as_of_date
    and open_items.invoice_id = lines.invoice_id
    and open_items.installment_number = lines.installment_number
    and open_items.entity_id = lines.entity_id
    and open_items.customer_id = lines.customer_id
    and open_items.currency_code = lines.currency_code
where
    open_items.open_amount is null
    or lines.line_amount > open_items.open_amount - open_items.disputed_amount
    or lines.line_amount <= 0
    or lines.line_count > 1
