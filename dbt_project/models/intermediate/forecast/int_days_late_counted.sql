-- How many days late customers settled items in the 365 days up to the run date, early days negative. One row
-- per as_of_date, customer_id, days_late. An item counts when it was paid in full, as in
-- int_settlements_summed.
{{ config(materialized="table") }}

with
    run_dates as (select as_of_date from {{ ref("stg_as_of_dates") }} where is_run_date),

    settled as (
        select
            run_dates.as_of_date,
            invoices.customer_id,
            {{ days_between("invoices.due_date", "invoices.settled_date") }} as days_late
        from run_dates
        inner join
            {{ ref("int_invoices_settled") }} as invoices
            on {{ days_between("invoices.settled_date", "run_dates.as_of_date") }} between 0 and 364
        where invoices.status = 'paid' and invoices.document_type <> 'credit_memo'
    )

select as_of_date, customer_id, days_late, count(*) as item_count
from settled
group by as_of_date, customer_id, days_late
