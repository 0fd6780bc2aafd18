-- Whose a payment is that named no customer, by the last run date: the latest word, a person's above the
-- engine's. One row per payment_id.
with
    assignments as (select * from {{ ref("stg_payer_assignments") }}),
    as_of_dates as (select * from {{ ref("stg_as_of_dates") }}),
    last_run as (select max(as_of_date) as as_of_date from as_of_dates where is_run_date),

    ranked as (
        select
            assignments.payment_id,
            assignments.customer_id,
            assignments.rule,
            assignments.assigned_date,
            row_number() over (
                partition by assignments.payment_id
                order by
                    case when assignments.rule = 'person' then 0 else 1 end, assignments.assigned_date desc
            ) as turn
        from assignments
        inner join last_run on last_run.as_of_date >= assignments.assigned_date
    )

select payment_id, customer_id, rule, assigned_date
from ranked
where turn = 1
