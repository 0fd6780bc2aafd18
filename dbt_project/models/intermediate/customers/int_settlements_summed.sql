-- What customers settled in the 365 days up to the run date, and how many days it took, currency by
-- currency. One row per as_of_date, customer_id, currency_code that something was settled in. An item
-- counts when it was paid in full in (as_of - 365, as_of], with its whole amount, early days negative.
{{ config(materialized="table") }}

with
    run_dates as (select as_of_date from {{ ref("stg_as_of_dates") }} where is_run_date),

    settled as (
        select
            run_dates.as_of_date,
            invoices.customer_id,
            invoices.currency_code,
            invoices.invoice_amount,
            {{ days_between("invoices.invoice_date", "invoices.settled_date") }} as days_to_pay,
            {{ days_between("invoices.due_date", "invoices.settled_date") }} as days_late,
            {{ days_between("invoices.settled_date", "run_dates.as_of_date") }} as days_ago
        from run_dates
        inner join
            {{ ref("int_settlements_dated") }} as invoices
            on {{ days_between("invoices.settled_date", "run_dates.as_of_date") }} between 0 and 364
            and invoices.before_date > run_dates.as_of_date
        where invoices.status = 'paid' and invoices.document_type <> 'credit_memo'
    ),

    by_currency as (
        select
            as_of_date,
            customer_id,
            currency_code,
            count(*) as settled_count,
            sum(days_to_pay) as days_to_pay,
            sum(days_late) as days_late,
            sum(invoice_amount) as amount,
            sum(invoice_amount * days_to_pay) as amount_days_to_pay,
            sum(invoice_amount * days_late) as amount_days_late,
            sum(case when days_ago < 90 then invoice_amount else 0 end) as last_90_amount,
            sum(case when days_ago < 90 then invoice_amount * days_late else 0 end) as last_90_amount_days,
            sum(case when days_ago between 90 and 179 then invoice_amount else 0 end) as previous_90_amount,
            sum(
                case when days_ago between 90 and 179 then invoice_amount * days_late else 0 end
            ) as previous_90_amount_days
        from settled
        group by as_of_date, customer_id, currency_code
    )

select *
from by_currency
