-- What is expected week by week and later is what is open, less what we owe: nothing twice, nothing
-- forgotten.
{{ config(tags=["ties"]) }}

with
    lines as (
        select as_of_date, entity_id, currency_code, expected_amount, 0 as net_amount
        from {{ ref("fct_cash_forecast") }}
        union all
        select as_of_date, entity_id, currency_code, 0, net_amount
        from {{ ref("fct_ar_aging") }}
    )

select
    as_of_date,
    entity_id,
    currency_code,
    sum(expected_amount) as expected_amount,
    sum(net_amount) as net_amount
from lines
group by as_of_date, entity_id, currency_code
having sum(expected_amount) <> sum(net_amount)
