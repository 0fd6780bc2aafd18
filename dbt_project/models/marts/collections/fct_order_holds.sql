-- Open orders to hold or to let go: proposals until a person approves.
-- One row per order_id.
select
    order_id,
    customer_id,
    action,
    reason,
    currency_code,
    approved_by,
    cast(uninvoiced_amount as decimal(18, 4)) as uninvoiced_amount,
    cast(decided_as_of_date as date) as decided_as_of_date
from {{ source("decided", "order_holds") }}
