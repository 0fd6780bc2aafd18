-- Bank accounts from which customers paid before. One row per payer_account, customer_id.
with
    payments as (select * from {{ ref("int_payments_counted") }}),
    engine as (select * from {{ ref("stg_engine_applications") }}),

    -- a payment names its customer, or what it was applied to does
    named as (
        select payer_account, customer_id
        from payments
        where customer_id is not null
        union all
        select payments.payer_account, engine.customer_id
        from payments
        inner join engine using (payment_id)
    )

select distinct payer_account, customer_id
from named
where payer_account is not null
