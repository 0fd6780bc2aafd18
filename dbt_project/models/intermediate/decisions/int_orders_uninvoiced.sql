-- Orders not cancelled and not yet invoiced in full: the part that is still to be invoiced. One row per
-- as_of_date, order_id. What is invoiced is what the order says, else the invoices that name it.
-- Prepaid, cash-on-delivery and card orders never become receivables and stand outside.
with
    run_dates as (select as_of_date from {{ ref("stg_as_of_dates") }} where is_run_date),
    orders as (
        select *
        from {{ ref("stg_orders") }}
        where status not in ('cancelled', 'invoiced') and coalesce(settlement, 'terms') = 'terms'
    ),
    invoices as (
        select * from {{ ref("int_invoices_settled") }} where document_type = 'invoice' and not is_cancelled
    ),

    dated as (
        select run_dates.as_of_date, orders.*
        from run_dates
        inner join orders on orders.order_date <= run_dates.as_of_date
    ),

    invoiced as (
        select dated.as_of_date, dated.order_id, sum(invoices.invoice_amount) as invoiced_amount
        from dated
        inner join
            invoices
            on invoices.order_id = dated.order_id
            and invoices.currency_code = dated.currency_code
            and invoices.invoice_date <= dated.as_of_date
        where dated.invoiced_amount is null
        group by dated.as_of_date, dated.order_id
    ),

    uninvoiced as (
        select
            dated.as_of_date,
            dated.order_id,
            dated.entity_id,
            dated.customer_id,
            dated.currency_code,
            dated.status,
            {{ money("dated.order_amount - coalesce(dated.invoiced_amount, invoiced.invoiced_amount, 0)") }}
            as uninvoiced_amount,
            dated.order_date
        from dated
        left join invoiced on invoiced.as_of_date = dated.as_of_date and invoiced.order_id = dated.order_id
    )

select *
from uninvoiced
where uninvoiced_amount > 0
