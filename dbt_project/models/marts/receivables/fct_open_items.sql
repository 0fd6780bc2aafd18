-- Open documents and instalments on the run dates. One row per as_of_date, invoice_id, installment_number.
with
    items as (select * from {{ ref("int_open_items_aged") }} where is_run_date),
    disputes as (select * from {{ ref("int_disputes_summed") }}),
    rates as (select * from {{ ref("int_fx_rates_effective") }}),

    -- of a dispute about a whole document, the part that is due first is contested first
    ranked as (
        select
            items.as_of_date,
            items.invoice_id,
            items.installment_number,
            items.open_amount,
            disputes.disputed_amount - sum(items.open_amount) over (
                partition by items.as_of_date, items.invoice_id
                order by items.due_date, items.installment_number
                rows between unbounded preceding and current row
            )
            + items.open_amount as left_amount
        from items
        inner join
            disputes on disputes.as_of_date = items.as_of_date and disputes.invoice_id = items.invoice_id
        where items.open_amount > 0
    ),

    contested as (
        select
            as_of_date,
            invoice_id,
            installment_number,
            {{ money("greatest(least(left_amount, open_amount), 0)") }} as disputed_amount
        from ranked
    )

select
    items.as_of_date,
    items.entity_id,
    items.customer_id,
    items.invoice_id,
    items.installment_number,
    items.invoice_number,
    items.document_type,
    items.order_id,
    items.po_number,
    items.currency_code,
    items.aging_bucket,
    items.invoice_amount,
    items.open_amount,
    {{ money("coalesce(contested.disputed_amount, 0)") }} as disputed_amount,
    {{ rounded("items.open_amount * rates.rate", "rates.group_minor_units") }} as group_open_amount,
    items.days_past_due,
    items.invoice_date,
    items.due_date
from items
left join
    contested
    on contested.as_of_date = items.as_of_date
    and contested.invoice_id = items.invoice_id
    and contested.installment_number = items.installment_number
left join rates on rates.as_of_date = items.as_of_date and rates.currency_code = items.currency_code
