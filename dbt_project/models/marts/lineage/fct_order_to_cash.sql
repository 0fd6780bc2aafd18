-- What happened to an order: invoiced, sent, paid, disputed, reminded, called about, referred, held, and
-- who did it. One
-- row per event_type, reference_id, line_number, event_date. Orders and documents that are open, or moved
-- in the
-- policy's lineage_days; what was done to the whole account names its customer alone. An amount stands on
-- the row of
-- its own thing and nowhere else: sums of one event_type are sums of those things, sums over types mean
-- nothing.
with
    last_run as (select max(as_of_date) as as_of_date from {{ ref("stg_as_of_dates") }} where is_run_date),
    policy as (select * from {{ ref("stg_reporting_policy") }}),
    documents as (select * from {{ ref("int_documents_in_motion") }}),
    letters as (select * from {{ ref("fct_letters") }}),
    decisions as (select * from {{ ref("fct_dunning_decisions") }} where decision = 'task'),
    worklist as (select * from {{ ref("fct_worklist") }}),

    past_due as (
        select items.*
        from {{ ref("fct_open_items") }} as items
        inner join last_run on last_run.as_of_date = items.as_of_date
        where items.document_type <> 'credit_memo' and items.open_amount > 0 and items.days_past_due >= 1
    ),

    -- a customer has one line per collector, or one per currency where no rate is known
    callers as (select distinct as_of_date, customer_id, collector_id from worklist),

    actions as (
        select
            case
                when letters.sent_at is null then 'reminder_' || letters.state else 'reminded'
            end as event_type,
            letters.letter_id as reference_id,
            lines.line_number,
            letters.customer_id,
            documents.order_id,
            lines.invoice_id,
            'engine' as actor,
            letters.stage as detail,
            lines.currency_code,
            lines.amount as event_amount,
            letters.decided_as_of_date as event_date,
            letters.entity_id
        from {{ ref("fct_letter_lines") }} as lines
        inner join letters on letters.letter_id = lines.letter_id
        inner join documents on documents.invoice_id = lines.invoice_id
        union all
        select
            'task',
            items.invoice_id,
            items.installment_number,
            items.customer_id,
            items.order_id,
            items.invoice_id,
            'engine',
            decisions.stage,
            items.currency_code,
            null,
            items.as_of_date,
            items.entity_id
        from past_due as items
        inner join decisions using (as_of_date, entity_id, customer_id, currency_code)
        union all
        select
            'listed_for_call',
            items.invoice_id,
            items.installment_number,
            items.customer_id,
            items.order_id,
            items.invoice_id,
            callers.collector_id,
            null,
            items.currency_code,
            null,
            items.as_of_date,
            items.entity_id
        from past_due as items
        inner join callers using (as_of_date, customer_id)
        union all
        select
            'referral_' || referrals.status,
            referrals.invoice_id,
            referrals.installment_number,
            referrals.customer_id,
            documents.order_id,
            referrals.invoice_id,
            'engine',
            referrals.agency_id,
            referrals.currency_code,
            referrals.referred_amount,
            referrals.as_of_date,
            referrals.entity_id
        from {{ ref("fct_agency_referrals") }} as referrals
        inner join last_run on last_run.as_of_date = referrals.as_of_date
        left join documents on documents.invoice_id = referrals.invoice_id
        where referrals.status <> 'not_eligible'
        union all
        select
            'order_' || holds.action,
            holds.order_id,
            1,
            holds.customer_id,
            holds.order_id,
            null,
            coalesce(holds.approved_by, 'engine'),
            holds.reason,
            holds.currency_code,
            holds.uninvoiced_amount,
            holds.decided_as_of_date,
            null
        from {{ ref("fct_order_holds") }} as holds
        union all
        select
            'promised',
            promises.promise_id,
            1,
            promises.customer_id,
            documents.order_id,
            promises.invoice_id,
            'customer',
            promises.status,
            promises.currency_code,
            promises.promised_amount,
            promises.made_date,
            null
        from {{ ref("int_promises_judged") }} as promises
        inner join last_run on last_run.as_of_date = promises.as_of_date
        cross join policy
        left join documents on documents.invoice_id = promises.invoice_id
        where
            documents.invoice_id is not null
            or policy.lineage_days is null
            or {{ days_between("promises.made_date", "last_run.as_of_date") }} < policy.lineage_days
        union all
        select
            'contacted',
            activities.activity_id,
            1,
            activities.customer_id,
            null,
            null,
            coalesce(activities.collector_id, 'ledger'),
            activities.channel || coalesce(': ' || activities.outcome_code, ''),
            null,
            null,
            cast(activities.activity_at as date),
            null
        from {{ ref("stg_activities") }} as activities
        inner join last_run on cast(activities.activity_at as date) <= last_run.as_of_date
        cross join policy
        where
            policy.lineage_days is null
            or {{ days_between("cast(activities.activity_at as date)", "last_run.as_of_date") }}
            < policy.lineage_days
    )

select
    event_type,
    reference_id,
    cast(1 as bigint) as line_number,
    entity_id,
    customer_id,
    order_id,
    invoice_id,
    payment_id,
    actor,
    detail,
    currency_code,
    {{ money("event_amount") }} as event_amount,
    event_date
from {{ ref("int_steps_recorded") }}
union all
select
    event_type,
    reference_id,
    cast(line_number as bigint) as line_number,
    entity_id,
    customer_id,
    order_id,
    invoice_id,
    cast(null as {{ dbt.type_string() }}) as payment_id,
    actor,
    detail,
    currency_code,
    {{ money("event_amount") }} as event_amount,
    event_date
from actions
