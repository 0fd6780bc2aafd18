-- Every currency with something open has a rate to the group currency; without, there is no ALL row on that
-- date.
{{ config(severity="warn", tags=["ties"]) }}

select items.as_of_date, items.currency_code, sum(items.open_amount) as open_amount, count(*) as item_count
from {{ ref("fct_open_items") }} as items
where items.group_open_amount is null
group by items.as_of_date, items.currency_code
