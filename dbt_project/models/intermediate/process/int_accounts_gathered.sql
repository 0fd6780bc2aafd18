-- What a customer's account holds on the last run date, by kind: orders, documents, cash, disputes,
-- promises, letters,
-- contacts. One row per customer_id. Letters are those that left before the run: those of the run itself
-- are decided
-- after this.
{{ config(materialized="table") }}

with
    last_run as (select max(as_of_date) as as_of_date from {{ ref("stg_as_of_dates") }} where is_run_date),
    customers as (select customer_id from {{ ref("int_customers_completed") }}),

    orders as (
        select uninvoiced.customer_id, count(*) as open_order_count
        from {{ ref("int_orders_uninvoiced") }} as uninvoiced
        inner join last_run on last_run.as_of_date = uninvoiced.as_of_date
        group by uninvoiced.customer_id
    ),

    documents as (
        select customer_id, count(*) as invoice_count, max(invoice_date) as last_invoice_date
        from {{ ref("int_invoices_settled") }}
        where document_type <> 'credit_memo' and not is_cancelled
        group by customer_id
    ),

    -- the date in front makes the latest the largest; of one day the last by name, so that the choice is
    -- the same
    deliveries as (
        select
            invoices.customer_id,
            max(
                cast(invoices.invoice_date as {{ dbt.type_string() }}) || ' ' || invoices.delivery_channel
            ) as dated_channel
        from {{ ref("stg_invoices") }} as invoices
        inner join last_run on invoices.invoice_date <= last_run.as_of_date
        where invoices.delivery_channel is not null
        group by invoices.customer_id
    ),

    items as (
        select items.*, items.disputed_amount * rates.rate as group_disputed_amount, rates.rate
        from {{ ref("fct_open_items") }} as items
        inner join last_run on last_run.as_of_date = items.as_of_date
        left join
            {{ ref("int_fx_rates_effective") }} as rates
            on rates.as_of_date = items.as_of_date
            and rates.currency_code = items.currency_code
        where items.document_type <> 'credit_memo'
    ),

    owed as (
        select
            customer_id,
            count(distinct invoice_id) as open_invoice_count,
            count(distinct case when days_past_due >= 1 then invoice_id end) as past_due_invoice_count,
            max(case when days_past_due >= 1 then days_past_due end) as oldest_days_past_due,
            case when count(*) = count(rate) then sum(group_disputed_amount) end as group_disputed_amount,
            case
                when count(*) = count(rate) then sum(group_open_amount * greatest(days_past_due, 0))
            end as group_amount_days,
            case when count(*) = count(rate) then sum(group_open_amount) end as group_amount
        from items
        group by customer_id
    ),

    methods as (
        select payments.customer_id, payments.payment_method, count(*) as payment_count
        from {{ ref("int_payments_applied") }} as payments
        inner join
            last_run on {{ days_between("payments.value_date", "last_run.as_of_date") }} between 0 and 364
        where payments.reverses_payment_id is null and payments.payment_method is not null
        group by payments.customer_id, payments.payment_method
    ),

    usual_methods as (
        select
            customer_id,
            payment_method,
            row_number() over (partition by customer_id order by payment_count desc, payment_method) as place
        from methods
    ),

    disputes as (
        select disputes.customer_id, count(*) as open_dispute_count
        from {{ ref("fct_disputes") }} as disputes
        inner join last_run on last_run.as_of_date = disputes.as_of_date
        where disputes.status = 'open'
        group by disputes.customer_id
    ),

    promises as (
        select
            promises.customer_id,
            count(case when promises.status = 'pending' then 1 end) as pending_promise_count,
            min(case when promises.status = 'pending' then promises.promised_date end) as next_promised_date
        from {{ ref("int_promises_judged") }} as promises
        inner join last_run on last_run.as_of_date = promises.as_of_date
        group by promises.customer_id
    ),

    letters as (
        select
            letters.customer_id,
            letters.level,
            letters.sent_date,
            row_number() over (
                partition by letters.customer_id
                order by letters.sent_date desc, letters.level desc, letters.letter_id
            ) as place,
            count(*) over (partition by letters.customer_id) as letter_count
        from {{ ref("stg_letter_history") }} as letters
        inner join last_run on letters.decided_as_of_date < last_run.as_of_date
        where letters.sent_date is not null
    ),

    contacts as (
        select activities.customer_id, max(cast(activities.activity_at as date)) as last_contact_date
        from {{ ref("stg_activities") }} as activities
        inner join last_run on cast(activities.activity_at as date) <= last_run.as_of_date
        group by activities.customer_id
    )

select
    customers.customer_id,
    substring(deliveries.dated_channel, 12) as last_delivery_channel,
    usual_methods.payment_method as usual_payment_method,
    owed.group_disputed_amount,
    {{ ratio("owed.group_amount_days", "owed.group_amount") }} as days_beyond_terms,
    coalesce(orders.open_order_count, 0) as open_order_count,
    coalesce(documents.invoice_count, 0) as invoice_count,
    coalesce(owed.open_invoice_count, 0) as open_invoice_count,
    coalesce(owed.past_due_invoice_count, 0) as past_due_invoice_count,
    owed.oldest_days_past_due,
    coalesce(disputes.open_dispute_count, 0) as open_dispute_count,
    coalesce(promises.pending_promise_count, 0) as pending_promise_count,
    coalesce(letters.letter_count, 0) as sent_letter_count,
    letters.level as last_letter_level,
    documents.last_invoice_date,
    promises.next_promised_date,
    letters.sent_date as last_letter_date,
    contacts.last_contact_date
from customers
left join orders on orders.customer_id = customers.customer_id
left join documents on documents.customer_id = customers.customer_id
left join deliveries on deliveries.customer_id = customers.customer_id
left join owed on owed.customer_id = customers.customer_id
left join usual_methods on usual_methods.customer_id = customers.customer_id and usual_methods.place = 1
left join disputes on disputes.customer_id = customers.customer_id
left join promises on promises.customer_id = customers.customer_id
left join letters on letters.customer_id = customers.customer_id and letters.place = 1
left join contacts on contacts.customer_id = customers.customer_id
