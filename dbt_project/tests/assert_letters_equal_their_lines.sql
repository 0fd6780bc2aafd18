-- The total of a letter is the sum of its lines, in its own currency; none decided on a run date is
-- without lines.
with
    run_dates as (select as_of_date from {{ ref("stg_as_of_dates") }} where is_run_date),
    lines as (
        select letter_id, currency_code, sum(amount) as line_amount
        from {{ ref("fct_letter_lines") }}
        group by letter_id, currency_code
    )

select
    letters.letter_id,
    letters.currency_code,
    letters.total_amount,
    lines.currency_code as line_currency_code,
    lines.line_amount
from {{ ref("fct_letters") }} as letters
left join lines on lines.letter_id = letters.letter_id
left join run_dates on run_dates.as_of_date = letters.decided_as_of_date
where
    (lines.line_amount is null and run_dates.as_of_date is not null)
    or letters.total_amount <> lines.line_amount
    or letters.currency_code <> lines.currency_code
