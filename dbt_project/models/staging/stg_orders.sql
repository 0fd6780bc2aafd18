-- Orders and how far they are invoiced. One row per order_id.
select
    order_id,
    entity_id,
    customer_id,
    order_date,
    order_amount,
    currency_code,
    status,
    shipped_date,
    delivered_date,
    delivery_proof_url,
    invoiced_amount,
    settlement,
    _source,
    _file_id,
    _line,
    _loaded_at
from {{ source("raw", "orders") }}
