-- When a customer last paid, and how often a payment went back in the 365 days up to the run date. One row
-- per
-- as_of_date, customer_id that ever paid. What came and what went back is taken together by day: a day on
-- which
-- nothing stayed is no day of payment.
with
    run_dates as (select as_of_date from {{ ref("stg_as_of_dates") }} where is_run_date),
    received as (select * from {{ ref("int_payments_received") }}),

    known as (
        select run_dates.as_of_date, received.*
        from run_dates
        inner join received on received.known_date <= run_dates.as_of_date
    ),

    returns as (select * from known where is_return),
    returned_days as (select distinct as_of_date, customer_id, currency_code, received_date from returns),

    empty_days as (
        select known.as_of_date, known.customer_id, known.currency_code, known.received_date
        from known
        inner join
            returned_days
            on returned_days.as_of_date = known.as_of_date
            and returned_days.customer_id = known.customer_id
            and returned_days.currency_code = known.currency_code
            and returned_days.received_date = known.received_date
        group by known.as_of_date, known.customer_id, known.currency_code, known.received_date
        having sum(known.received_amount) <= 0
    ),

    last_paid as (
        select
            known.as_of_date,
            known.customer_id,
            max(case when empty_days.customer_id is null then known.received_date end) as last_payment_date
        from known
        left join
            empty_days
            on empty_days.as_of_date = known.as_of_date
            and empty_days.customer_id = known.customer_id
            and empty_days.currency_code = known.currency_code
            and empty_days.received_date = known.received_date
        group by known.as_of_date, known.customer_id
    ),

    returned as (
        select
            as_of_date,
            customer_id,
            count(
                case when {{ days_between("known_date", "as_of_date") }} < 365 then movement_id end
            ) as returned_payment_count,
            max(known_date) as last_returned_payment_date
        from returns
        group by as_of_date, customer_id
    )

select
    last_paid.as_of_date,
    last_paid.customer_id,
    last_paid.last_payment_date,
    coalesce(returned.returned_payment_count, 0) as returned_payment_count,
    returned.last_returned_payment_date
from last_paid
left join
    returned on returned.as_of_date = last_paid.as_of_date and returned.customer_id = last_paid.customer_id
