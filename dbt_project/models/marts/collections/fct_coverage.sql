-- Who of those past due was contacted, how soon, and what reminders brought. One row per as_of_date,
-- entity_id.
-- Contacts are letters that left (of the entity) and activities (of the customer, whatever the entity).
with
    run_dates as (select as_of_date from {{ ref("stg_as_of_dates") }} where is_run_date),
    entities as (select entity_id from {{ ref("int_entities_completed") }}),
    policy as (select * from {{ ref("stg_reporting_policy") }}),
    letters as (select * from {{ ref("fct_letters") }} where sent_at is not null),
    lines as (select distinct letter_id, invoice_id from {{ ref("fct_letter_lines") }}),

    past_due as (
        select as_of_date, entity_id, customer_id, max(days_past_due) as oldest_days
        from {{ ref("fct_open_items") }}
        where document_type <> 'credit_memo' and open_amount > 0 and days_past_due >= 1
        group by as_of_date, entity_id, customer_id
    ),

    contacts as (
        select entity_id, customer_id, decided_as_of_date as contact_date
        from letters
        union all
        select
            entities.entity_id, activities.customer_id, cast(activities.activity_at as date) as contact_date
        from {{ ref("stg_activities") }} as activities
        cross join entities
    ),

    last_contacts as (
        select
            past_due.as_of_date,
            past_due.entity_id,
            past_due.customer_id,
            past_due.oldest_days,
            {{ days_between("max(contacts.contact_date)", "past_due.as_of_date") }} as days_ago
        from past_due
        left join
            contacts
            on contacts.entity_id = past_due.entity_id
            and contacts.customer_id = past_due.customer_id
            and contacts.contact_date <= past_due.as_of_date
        group by past_due.as_of_date, past_due.entity_id, past_due.customer_id, past_due.oldest_days
    ),

    covered as (
        select
            last_contacts.as_of_date,
            last_contacts.entity_id,
            count(*) as past_due_customer_count,
            count(
                case when last_contacts.days_ago < policy.coverage_days then 1 end
            ) as contacted_customer_count,
            count(
                case when last_contacts.oldest_days <= policy.day_one_days then 1 end
            ) as newly_past_due_count,
            -- since the day on which the oldest item became past due
            count(
                case
                    when
                        last_contacts.oldest_days <= policy.day_one_days
                        and last_contacts.days_ago < last_contacts.oldest_days
                    then 1
                end
            ) as day_one_contact_count
        from last_contacts
        cross join policy
        group by last_contacts.as_of_date, last_contacts.entity_id
    ),

    -- old enough to have had all its days for an answer
    reminders as (
        select
            run_dates.as_of_date,
            letters.entity_id,
            letters.letter_id,
            letters.decided_as_of_date as sent_date
        from run_dates
        cross join policy
        inner join
            letters
            on {{ days_between("letters.decided_as_of_date", "run_dates.as_of_date") }}
            between policy.response_days and policy.response_days + policy.contact_window_days - 1
    ),

    answers as (
        select
            reminders.as_of_date,
            reminders.entity_id,
            reminders.letter_id,
            count(distinct lines.invoice_id) as line_count,
            count(distinct paid.invoice_id) as paid_count,
            count(
                distinct case
                    when
                        documents.open_amount = 0
                        and {{ days_between("reminders.sent_date", "documents.settled_date") }}
                        <= policy.response_days
                    then lines.invoice_id
                end
            ) as settled_count
        from reminders
        cross join policy
        inner join lines on lines.letter_id = reminders.letter_id
        left join {{ ref("int_invoices_settled") }} as documents on documents.invoice_id = lines.invoice_id
        left join
            {{ ref("int_applications_unioned") }} as paid
            on paid.invoice_id = lines.invoice_id
            and paid.settlement_type = 'payment'
            and paid.applied_amount > 0
            and {{ days_between("reminders.sent_date", "paid.effective_date") }}
            between 1 and policy.response_days
        group by reminders.as_of_date, reminders.entity_id, reminders.letter_id
    ),

    answered as (
        select
            as_of_date,
            entity_id,
            count(*) as reminder_count,
            count(case when paid_count > 0 then 1 end) as answered_reminder_count,
            count(case when settled_count = line_count then 1 end) as settled_reminder_count
        from answers
        group by as_of_date, entity_id
    ),

    counted as (
        select
            run_dates.as_of_date,
            entities.entity_id,
            coalesce(covered.past_due_customer_count, 0) as past_due_customer_count,
            coalesce(covered.contacted_customer_count, 0) as contacted_customer_count,
            coalesce(covered.newly_past_due_count, 0) as newly_past_due_count,
            coalesce(covered.day_one_contact_count, 0) as day_one_contact_count,
            coalesce(answered.reminder_count, 0) as reminder_count,
            coalesce(answered.answered_reminder_count, 0) as answered_reminder_count,
            coalesce(answered.settled_reminder_count, 0) as settled_reminder_count
        from run_dates
        cross join entities
        left join
            covered on covered.as_of_date = run_dates.as_of_date and covered.entity_id = entities.entity_id
        left join
            answered on answered.as_of_date = run_dates.as_of_date and answered.entity_id = entities.entity_id
    )

select
    as_of_date,
    entity_id,
    {{ ratio("contacted_customer_count", "past_due_customer_count") }} as coverage_ratio,
    {{ ratio("day_one_contact_count", "newly_past_due_count") }} as day_one_contact_ratio,
    {{ ratio("answered_reminder_count", "reminder_count") }} as reminder_response_ratio,
    {{ ratio("settled_reminder_count", "reminder_count") }} as reminder_settled_ratio,
    past_due_customer_count,
    contacted_customer_count,
    newly_past_due_count,
    day_one_contact_count,
    reminder_count,
    answered_reminder_count,
    settled_reminder_count
from counted
