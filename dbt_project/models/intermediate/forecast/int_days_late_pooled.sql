-- How many days late a customer, a segment and the whole ledger settled items in the 365 days up to the run
-- date,
-- early days negative. One row per as_of_date, pool_type, pool_id, days_late. An item counts when it was
-- paid in
-- full, as in int_settlements_summed; whatever its amount, it counts once.
{{ config(materialized="table") }}

with
    run_dates as (select as_of_date from {{ ref("stg_as_of_dates") }} where is_run_date),
    profiles as (select as_of_date, customer_id, segment from {{ ref("int_customers_profiled") }}),

    settled as (
        select
            run_dates.as_of_date,
            invoices.customer_id,
            {{ days_between("invoices.due_date", "invoices.settled_date") }} as days_late
        from run_dates
        inner join
            {{ ref("int_settlements_dated") }} as invoices
            on {{ days_between("invoices.settled_date", "run_dates.as_of_date") }} between 0 and 364
            and invoices.before_date > run_dates.as_of_date
        where invoices.status = 'paid' and invoices.document_type <> 'credit_memo'
    ),

    counted as (
        select as_of_date, customer_id, days_late, count(*) as item_count
        from settled
        group by as_of_date, customer_id, days_late
    )

select as_of_date, 'customer' as pool_type, customer_id as pool_id, days_late, item_count
from counted
union all
select
    counted.as_of_date,
    'segment' as pool_type,
    profiles.segment as pool_id,
    counted.days_late,
    cast(sum(counted.item_count) as bigint) as item_count
from counted
inner join profiles on profiles.as_of_date = counted.as_of_date and profiles.customer_id = counted.customer_id
group by counted.as_of_date, profiles.segment, counted.days_late
union all
select
    as_of_date,
    'ledger' as pool_type,
    '(all)' as pool_id,
    days_late,
    cast(sum(item_count) as bigint) as item_count
from counted
group by as_of_date, days_late
