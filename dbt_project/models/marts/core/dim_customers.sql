-- Customers on the last run date: who they are, how they pay, what they ordered, owe, contest and promised,
-- and how
-- they were reminded. One row per customer_id.
-- The limit stands in its own currency, currency_code; what is owed in the group's. It is null where the
-- customer's currencies cannot be summed.
with
    profiles as (select * from {{ ref("int_customers_profiled") }}),
    controls as (select * from {{ ref("stg_controls") }}),
    accounts as (select * from {{ ref("int_accounts_gathered") }}),
    habits as (select * from {{ ref("int_habits_chosen") }}),
    exposures as (select * from {{ ref("int_exposures_summed") }}),
    currencies as (select * from {{ ref("stg_currencies") }}),
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
    accounts.last_delivery_channel,
    accounts.usual_payment_method,
    habits.basis as habit_basis,
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
    case
        when profiles.exposure_currency_code = controls.group_currency_code
        then coalesce(exposures.uninvoiced_order_amount, 0)
    end as group_uninvoiced_amount,
    case
        when profiles.exposure_currency_code = controls.group_currency_code
        then {{ rounded("coalesce(accounts.group_disputed_amount, 0)", "currencies.minor_units") }}
    end as group_disputed_amount,
    controls.group_currency_code,
    profiles.risk_score,
    {{ ratio("profiles.exposure_amount", "profiles.exposure_limit_amount") }} as utilisation_ratio,
    profiles.revenue_share_ratio,
    profiles.average_days_to_pay,
    profiles.average_days_late,
    profiles.weighted_days_to_pay,
    profiles.weighted_days_late,
    accounts.days_beyond_terms,
    habits.usual_days as usual_days_late,
    accounts.open_order_count,
    accounts.invoice_count,
    accounts.open_invoice_count,
    accounts.past_due_invoice_count,
    accounts.oldest_days_past_due,
    profiles.settled_invoice_count,
    accounts.open_dispute_count,
    accounts.pending_promise_count,
    profiles.broken_promise_count,
    profiles.returned_payment_count,
    accounts.sent_letter_count,
    accounts.last_letter_level,
    profiles.is_stub,
    profiles.credit_limit_valid_until,
    profiles.last_payment_date,
    accounts.last_invoice_date,
    accounts.next_promised_date,
    profiles.last_broken_promise_date,
    accounts.last_letter_date,
    accounts.last_contact_date,
    profiles.as_of_date
from profiles
inner join last_run on last_run.as_of_date = profiles.as_of_date
cross join controls
left join accounts on accounts.customer_id = profiles.customer_id
left join habits on habits.as_of_date = profiles.as_of_date and habits.customer_id = profiles.customer_id
left join
    exposures
    on exposures.as_of_date = profiles.as_of_date
    and exposures.customer_id = profiles.customer_id
    and exposures.currency_code = profiles.exposure_currency_code
left join currencies on currencies.currency_code = controls.group_currency_code
