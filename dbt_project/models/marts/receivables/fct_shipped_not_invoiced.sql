-- Orders that were shipped or delivered and are not invoiced in full. One row per as_of_date, order_id.
with
    uninvoiced as (select * from {{ ref("int_orders_uninvoiced") }}),
    orders as (select * from {{ ref("stg_orders") }})

select
    uninvoiced.as_of_date,
    uninvoiced.order_id,
    uninvoiced.entity_id,
    uninvoiced.customer_id,
    uninvoiced.currency_code,
    uninvoiced.uninvoiced_amount,
    {{ days_between("coalesce(orders.shipped_date, orders.delivered_date)", "uninvoiced.as_of_date") }}
    as days_since_shipped,
    orders.delivery_proof_url is not null as has_delivery_proof,
    uninvoiced.order_date,
    orders.shipped_date,
    case when orders.delivered_date <= uninvoiced.as_of_date then orders.delivered_date end as delivered_date
from uninvoiced
inner join
    orders
    on orders.order_id = uninvoiced.order_id
    and coalesce(orders.shipped_date, orders.delivered_date) <= uninvoiced.as_of_date
