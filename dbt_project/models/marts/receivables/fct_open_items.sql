-- Open documents and instalments on the run dates. One row per as_of_date, invoice_id, installment_number.
with
    items as (select * from {{ ref("int_open_items_aged") }} where is_run_date),
    disputes as (select * from {{ ref("int_disputes_summed") }}),
    rates as (select * from {{ ref("int_fx_rates_effective") }}),

    -- of a dispute about a whole document, the part that is due first is contested first
    ranked as (
        select
            items.*,
            coalesce(disputes.disputed_amount, 0) as contested_amount,
            sum(items.open_amount) over (
                partition by items.as_of_date, items.invoice_id
                order by items.due_date, items.installment_number
                rows between unbounded preceding and current row
            )
            - items.open_amount as earlier_amount
        from items
        left join
            disputes on disputes.as_of_date = items.as_of_date and disputes.invoice_id = items.invoice_id
    )

select
    ranked.as_of_date,
    ranked.entity_id,
    ranked.customer_id,
    ranked.invoice_id,
    ranked.installment_number,
    ranked.invoice_number,
    ranked.document_type,
    ranked.order_id,
    ranked.po_number,
    ranked.currency_code,
    ranked.aging_bucket,
    ranked.invoice_amount,
    ranked.open_amount,
    {{
        money(
            "case when ranked.open_amount > 0"
            ~ " then greatest(least(ranked.contested_amount - ranked.earlier_amount, ranked.open_amount), 0)"
            ~ " else 0 end"
        )
    }} as disputed_amount,
    {{ rounded("ranked.open_amount * rates.rate", "rates.group_minor_units") }} as group_open_amount,
    ranked.days_past_due,
    ranked.invoice_date,
    ranked.due_date
from ranked
left join rates on rates.as_of_date = ranked.as_of_date and rates.currency_code = ranked.currency_code
