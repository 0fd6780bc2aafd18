-- Orders that order to cash shows: those of documents in motion, still to be invoiced, or placed in the
-- policy's days
-- before the last run date. One row per order_id.
with
    last_run as (select max(as_of_date) as as_of_date from {{ ref("stg_as_of_dates") }} where is_run_date),
    policy as (select * from {{ ref("stg_reporting_policy") }}),
    documents as (
        select distinct order_id from {{ ref("int_documents_in_motion") }} where order_id is not null
    ),
    uninvoiced as (select distinct order_id from {{ ref("int_orders_uninvoiced") }})

select
    orders.order_id,
    orders.entity_id,
    orders.customer_id,
    orders.currency_code,
    orders.order_amount,
    orders.order_date,
    case when orders.shipped_date <= last_run.as_of_date then orders.shipped_date end as shipped_date,
    case when orders.delivered_date <= last_run.as_of_date then orders.delivered_date end as delivered_date
from {{ ref("stg_orders") }} as orders
cross join last_run
cross join policy
left join documents on documents.order_id = orders.order_id
left join uninvoiced on uninvoiced.order_id = orders.order_id
where
    orders.order_date <= last_run.as_of_date
    and (
        documents.order_id is not null
        or uninvoiced.order_id is not null
        or policy.lineage_days is null
        or {{ days_between("orders.order_date", "last_run.as_of_date") }} < policy.lineage_days
    )
