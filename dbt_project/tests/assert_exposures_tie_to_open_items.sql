-- What customers owe in one currency, before any conversion, is what their open items say; no item is
-- nobody's.
with
    exposures as (
        select as_of_date, currency_code, sum(open_amount - credit_memo_amount) as open_amount
        from {{ ref("int_exposures_by_currency") }}
        group by as_of_date, currency_code
    ),

    items as (
        select as_of_date, currency_code, sum(open_amount) as open_amount
        from {{ ref("fct_open_items") }}
        group by as_of_date, currency_code
    )

select
    coalesce(items.as_of_date, exposures.as_of_date) as as_of_date,
    coalesce(items.currency_code, exposures.currency_code) as currency_code,
    items.open_amount as item_amount,
    exposures.open_amount as exposure_amount
from items
full outer join
    exposures on exposures.as_of_date = items.as_of_date and exposures.currency_code = items.currency_code
where coalesce(items.open_amount, 0) <> coalesce(exposures.open_amount, 0)
