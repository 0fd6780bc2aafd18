-- Customers on the last run date: who they are, how they pay, what they owe. One row per customer_id.
-- The limit stands in its own currency, currency_code; what is owed in the group's. It is null where the
-- customer's currencies cannot be summed.
with
    profiles as (select * from {{ ref("int_customers_profiled") }}),
    controls as (select * from {{ ref("stg_controls") }}),
    last_run as (select max(as_of_date) as as_of_date from {{ ref("stg_as_of_dates") }} where is_run_date)

select
    profiles.customer_id,
    profiles.customer_name,
    profiles.parent_customer_id,
    profiles.customer_group,
    profiles.country_code,
    profiles.language_code,
    profiles.customer_type,
    profiles.status,
    profiles.collector_id,
    profiles.account_owner_email,
    profiles.value_tier,
    profiles.behaviour_class,
    profiles.risk_class,
    profiles.segment,
    profiles.credit_limit_amount,
    coalesce(profiles.credit_limit_currency_code, controls.group_currency_code) as currency_code,
    profiles.revenue_amount as group_revenue_amount,
    case
        when profiles.exposure_currency_code = controls.group_currency_code then profiles.open_amount
    end as group_open_amount,
    case
        when profiles.exposure_currency_code = controls.group_currency_code then profiles.past_due_amount
    end as group_past_due_amount,
    case
        when profiles.exposure_currency_code = controls.group_currency_code then profiles.unapplied_amount
    end as group_unapplied_amount,
    case
        when profiles.exposure_currency_code = controls.group_currency_code then profiles.exposure_amount
    end as group_exposure_amount,
    controls.group_currency_code,
    profiles.risk_score,
    profiles.revenue_share_ratio,
    profiles.average_days_to_pay,
    profiles.average_days_late,
    profiles.weighted_days_to_pay,
    profiles.weighted_days_late,
    profiles.settled_invoice_count,
    profiles.broken_promise_count,
    profiles.returned_payment_count,
    profiles.is_stub,
    profiles.credit_limit_valid_until,
    profiles.last_payment_date,
    profiles.as_of_date
from profiles
inner join last_run on last_run.as_of_date = profiles.as_of_date
cross join controls
