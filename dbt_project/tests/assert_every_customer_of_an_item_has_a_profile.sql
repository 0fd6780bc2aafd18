-- Decisions join customers to open items: an item whose customer had no profile would be lost.
select open_items.as_of_date, open_items.customer_id, sum(open_items.open_amount) as open_amount
from {{ ref("fct_open_items") }} as open_items
left join
    {{ ref("int_customers_profiled") }} as profiles
    on profiles.as_of_date = open_items.as_of_date
    and profiles.customer_id = open_items.customer_id
where profiles.customer_id is null
group by open_items.as_of_date, open_items.customer_id
