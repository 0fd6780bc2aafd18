-- Payment plans and whether they are kept. One row per as_of_date, plan_id, invoice_id; a plan that
-- names no invoice covers the whole customer and has one row without one. In good standing: active, and
-- what the customer paid since the day of agreement covers every line that was due before the run date,
-- currency by currency. A line due today is not past due yet, like an invoice.
with
    run_dates as (select as_of_date from {{ ref("stg_as_of_dates") }} where is_run_date),
    plans as (
        select run_dates.as_of_date, plans.*
        from run_dates
        inner join {{ ref("stg_plans") }} as plans on plans.agreed_date <= run_dates.as_of_date
    ),
    plan_lines as (select * from {{ ref("stg_plan_lines") }}),
    received as (select * from {{ ref("int_payments_received") }}),

    due as (
        select
            plans.as_of_date,
            plans.plan_id,
            plans.customer_id,
            plans.agreed_date,
            plan_lines.currency_code,
            sum(plan_lines.plan_amount) as due_amount
        from plans
        inner join plan_lines on plan_lines.plan_id = plans.plan_id and plan_lines.due_date < plans.as_of_date
        where plans.status = 'active'
        group by
            plans.as_of_date, plans.plan_id, plans.customer_id, plans.agreed_date, plan_lines.currency_code
    ),

    paid as (
        select due.as_of_date, due.plan_id, due.currency_code, sum(received.received_amount) as paid_amount
        from due
        inner join
            received
            on received.customer_id = due.customer_id
            and received.currency_code = due.currency_code
            and received.received_date between due.agreed_date and due.as_of_date
            and received.known_date <= due.as_of_date
        group by due.as_of_date, due.plan_id, due.currency_code
    ),

    behind as (
        select distinct due.as_of_date, due.plan_id
        from due
        left join
            paid
            on paid.as_of_date = due.as_of_date
            and paid.plan_id = due.plan_id
            and paid.currency_code = due.currency_code
        where due.due_amount > coalesce(paid.paid_amount, 0)
    ),

    covered_invoices as (select distinct plan_id, invoice_id from plan_lines where invoice_id is not null)

select
    plans.as_of_date,
    plans.plan_id,
    plans.customer_id,
    covered_invoices.invoice_id,
    plans.status = 'active' and behind.plan_id is null as is_in_good_standing
from plans
left join covered_invoices on covered_invoices.plan_id = plans.plan_id
left join behind on behind.as_of_date = plans.as_of_date and behind.plan_id = plans.plan_id
