-- What is known of each customer on the run date: what it bought, how it paid, what it owes. One row per
-- as_of_date, customer_id. Exposure is null where the customer's currencies cannot be summed, and in its
-- own currency where its only one has no rate.
{{ config(materialized="table") }}

with
    run_dates as (select as_of_date from {{ ref("stg_as_of_dates") }} where is_run_date),
    customers as (select * from {{ ref("int_customers_completed") }}),
    revenues as (select * from {{ ref("int_revenues_ranked") }}),
    settlements as (select * from {{ ref("int_settlements_weighed") }}),
    payments as (select * from {{ ref("int_payments_summed") }}),
    promises as (select * from {{ ref("int_promises_summed") }}),

    controls as (select * from {{ ref("stg_controls") }}),

    -- More than one row is a customer whose currencies cannot be summed, none is one that owes nothing.
    exposures as (
        select
            as_of_date,
            customer_id,
            count(*) as currency_count,
            min(currency_code) as currency_code,
            min(open_amount) as open_amount,
            min(past_due_amount) as past_due_amount,
            min(unapplied_amount) as unapplied_amount,
            min(exposure_amount) as exposure_amount,
            min(credit_limit_amount) as credit_limit_amount
        from {{ ref("int_exposures_summed") }}
        group by as_of_date, customer_id
    ),

    owed as (
        select
            as_of_date,
            customer_id,
            currency_count,
            case when currency_count = 1 then currency_code end as currency_code,
            case when currency_count = 1 then open_amount end as open_amount,
            case when currency_count = 1 then past_due_amount end as past_due_amount,
            case when currency_count = 1 then unapplied_amount end as unapplied_amount,
            case when currency_count = 1 then exposure_amount end as exposure_amount,
            case when currency_count = 1 then credit_limit_amount end as credit_limit_amount
        from exposures
    ),

    gathered as (
        select
            run_dates.as_of_date,
            customers.customer_id,
            revenues.value_tier,
            revenues.revenue_amount,
            revenues.revenue_share_ratio,
            coalesce(settlements.settled_invoice_count, 0) as settled_invoice_count,
            settlements.average_days_to_pay,
            settlements.average_days_late,
            settlements.weighted_days_to_pay,
            settlements.weighted_days_late,
            settlements.weighted_days_late_last_90_days,
            settlements.weighted_days_late_previous_90_days,
            settlements.weighted_days_late_previous_275_days,
            coalesce(promises.broken_promise_count, 0) as broken_promise_count,
            coalesce(payments.returned_payment_count, 0) as returned_payment_count,
            case
                when owed.currency_count is null then controls.group_currency_code else owed.currency_code
            end as exposure_currency_code,
            case when owed.currency_count is null then 0 else owed.open_amount end as open_amount,
            case when owed.currency_count is null then 0 else owed.past_due_amount end as past_due_amount,
            case when owed.currency_count is null then 0 else owed.unapplied_amount end as unapplied_amount,
            case when owed.currency_count is null then 0 else owed.exposure_amount end as exposure_amount,
            owed.credit_limit_amount as exposure_limit_amount,
            payments.last_payment_date,
            payments.last_returned_payment_date,
            promises.last_broken_promise_date
        from run_dates
        cross join customers
        cross join controls
        left join
            revenues
            on revenues.as_of_date = run_dates.as_of_date
            and revenues.customer_id = customers.customer_id
        left join
            settlements
            on settlements.as_of_date = run_dates.as_of_date
            and settlements.customer_id = customers.customer_id
        left join
            payments
            on payments.as_of_date = run_dates.as_of_date
            and payments.customer_id = customers.customer_id
        left join
            promises
            on promises.as_of_date = run_dates.as_of_date
            and promises.customer_id = customers.customer_id
        left join owed on owed.as_of_date = run_dates.as_of_date and owed.customer_id = customers.customer_id
    )

select *
from gathered
