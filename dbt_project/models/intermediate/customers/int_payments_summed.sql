-- When a customer last paid, and how often a payment went back in the 365 days up to the run date.
-- One row per as_of_date, customer_id that ever paid. A payment that went back is no payment.
with
    run_dates as (select as_of_date from {{ ref("stg_as_of_dates") }} where is_run_date),
    received as (select * from {{ ref("int_payments_received") }}),

    -- What came and what went back on one day of one customer: without anything left, nothing was paid.
    days as (
        select
            run_dates.as_of_date,
            received.customer_id,
            received.currency_code,
            received.received_date,
            sum(received.received_amount) as received_amount,
            sum(
                case
                    when
                        received.is_return
                        and {{ days_between("received.known_date", "run_dates.as_of_date") }} < 365
                    then 1
                    else 0
                end
            ) as returned_payment_count,
            max(case when received.is_return then received.known_date end) as last_returned_payment_date
        from run_dates
        inner join received on received.known_date <= run_dates.as_of_date
        group by run_dates.as_of_date, received.customer_id, received.currency_code, received.received_date
    )

select
    as_of_date,
    customer_id,
    max(case when received_amount > 0 then received_date end) as last_payment_date,
    cast(sum(returned_payment_count) as bigint) as returned_payment_count,
    max(last_returned_payment_date) as last_returned_payment_date
from days
group by as_of_date, customer_id
