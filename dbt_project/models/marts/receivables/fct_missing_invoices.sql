-- Customers that were invoiced every month or quarter and whose next invoice did not come. One row per
-- as_of_date,
-- entity_id, customer_id, currency_code. Missing from the day after expected_date and the policy's grace
-- on, for as long
-- as one interval more: after that the customer is no longer invoiced at a rhythm. Who is invoiced at
-- several rhythms at
-- once is not found.
with
    run_dates as (select as_of_date from {{ ref("stg_as_of_dates") }} where is_run_date),
    rhythms as (select * from {{ ref("int_rhythms_found") }}),
    policy as (select * from {{ ref("stg_reporting_policy") }})

select
    run_dates.as_of_date,
    rhythms.entity_id,
    rhythms.customer_id,
    rhythms.currency_code,
    rhythms.rhythm,
    rhythms.invoiced_amount as last_invoiced_amount,
    {{ days_between("rhythms.expected_date", "run_dates.as_of_date") }} as days_missing,
    rhythms.invoice_date as last_invoice_date,
    rhythms.expected_date
from run_dates
cross join policy
inner join
    rhythms
    on rhythms.invoice_date <= run_dates.as_of_date
    and (rhythms.next_date is null or rhythms.next_date > run_dates.as_of_date)
where
    {{ days_between("rhythms.expected_date", "run_dates.as_of_date") }} > policy.recurring_grace_days
    and {{ days_between("rhythms.expected_date", "run_dates.as_of_date") }}
    <= policy.recurring_grace_days
    + case when rhythms.rhythm = 'monthly' then policy.month_to_days else policy.quarter_to_days end
