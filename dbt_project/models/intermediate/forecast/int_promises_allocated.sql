-- Which open items pending promises cover, and with how much. One row per as_of_date, invoice_id,
-- installment_number, promise_id. A promise about an invoice covers it first; one for the whole account
-- then covers
-- what is left, due first of the same currency, the earliest promise first. What was paid towards a promise
-- is taken
-- off it. Disputed parts are not covered, nor anything of an insolvent customer.
with
    profiles as (select * from {{ ref("int_customers_profiled") }} where status <> 'insolvent'),

    promises as (
        select
            promises.as_of_date,
            promises.promise_id,
            promises.customer_id,
            promises.invoice_id,
            promises.currency_code,
            promises.promised_amount - promises.paid_amount as left_amount,
            promises.promised_date
        from {{ ref("int_promises_judged") }} as promises
        inner join
            profiles
            on profiles.as_of_date = promises.as_of_date
            and profiles.customer_id = promises.customer_id
        where promises.status = 'pending' and promises.promised_amount > promises.paid_amount
    ),

    promisers as (select distinct as_of_date, customer_id, currency_code from promises),

    items as (
        select items.*, items.open_amount - items.disputed_amount as payable_amount
        from {{ ref("fct_open_items") }} as items
        inner join
            promisers
            on promisers.as_of_date = items.as_of_date
            and promisers.customer_id = items.customer_id
            and promisers.currency_code = items.currency_code
        where items.document_type <> 'credit_memo' and items.open_amount > items.disputed_amount
    ),

    -- Both sides are laid end to end; where two stretches overlap, the one covers the other.
    invoice_items as (
        select
            items.*,
            sum(payable_amount) over (
                partition by as_of_date, invoice_id
                order by due_date, installment_number
                rows between unbounded preceding and current row
            ) as until_amount
        from items
    ),

    invoice_promises as (
        select
            promises.*,
            sum(left_amount) over (
                partition by as_of_date, invoice_id
                order by promised_date, promise_id
                rows between unbounded preceding and current row
            ) as until_amount
        from promises
        where invoice_id is not null
    ),

    by_invoice as (
        select
            items.as_of_date,
            items.invoice_id,
            items.installment_number,
            promises.promise_id,
            promises.promised_date,
            least(items.until_amount, promises.until_amount) - greatest(
                items.until_amount - items.payable_amount, promises.until_amount - promises.left_amount
            ) as covered_amount
        from invoice_items as items
        inner join
            invoice_promises as promises
            on promises.as_of_date = items.as_of_date
            and promises.invoice_id = items.invoice_id
            and promises.customer_id = items.customer_id
            and promises.currency_code = items.currency_code
            and promises.until_amount - promises.left_amount < items.until_amount
            and promises.until_amount > items.until_amount - items.payable_amount
    ),

    covered as (
        select as_of_date, invoice_id, installment_number, sum(covered_amount) as covered_amount
        from by_invoice
        group by as_of_date, invoice_id, installment_number
    ),

    left_items as (
        select
            items.as_of_date,
            items.customer_id,
            items.currency_code,
            items.invoice_id,
            items.installment_number,
            items.payable_amount - coalesce(covered.covered_amount, 0) as payable_amount,
            sum(items.payable_amount - coalesce(covered.covered_amount, 0)) over (
                partition by items.as_of_date, items.customer_id, items.currency_code
                order by items.due_date, items.invoice_id, items.installment_number
                rows between unbounded preceding and current row
            ) as until_amount
        from items
        left join
            covered
            on covered.as_of_date = items.as_of_date
            and covered.invoice_id = items.invoice_id
            and covered.installment_number = items.installment_number
    ),

    account_promises as (
        select
            promises.*,
            sum(left_amount) over (
                partition by as_of_date, customer_id, currency_code
                order by promised_date, promise_id
                rows between unbounded preceding and current row
            ) as until_amount
        from promises
        where invoice_id is null
    )

select
    as_of_date,
    invoice_id,
    installment_number,
    promise_id,
    {{ money("covered_amount") }} as covered_amount,
    promised_date
from by_invoice
union all
select
    items.as_of_date,
    items.invoice_id,
    items.installment_number,
    promises.promise_id,
    {{
        money(
            "least(items.until_amount, promises.until_amount) - greatest("
            ~ "items.until_amount - items.payable_amount, promises.until_amount - promises.left_amount)"
        )
    }} as covered_amount,
    promises.promised_date
from left_items as items
inner join
    account_promises as promises
    on promises.as_of_date = items.as_of_date
    and promises.customer_id = items.customer_id
    and promises.currency_code = items.currency_code
    and promises.until_amount - promises.left_amount < items.until_amount
    and promises.until_amount > items.until_amount - items.payable_amount
where items.payable_amount > 0
