-- What disputes still contest is what open items show as disputed, of every document on the run dates.
{{ config(tags=["ties"]) }}

with
    lines as (
        select as_of_date, invoice_id, open_disputed_amount, 0 as disputed_amount
        from {{ ref("fct_disputes") }}
        union all
        select as_of_date, invoice_id, 0, disputed_amount
        from {{ ref("fct_open_items") }}
    )

select
    as_of_date,
    invoice_id,
    sum(open_disputed_amount) as open_disputed_amount,
    sum(disputed_amount) as disputed_amount
from lines
group by as_of_date, invoice_id
having sum(open_disputed_amount) <> sum(disputed_amount)
