-- Of every invoice and debit memo in motion the events give what is open: invoiced less paid, offset,
-- discounted,
-- written off and adjusted. An event that stood twice, or was lost on the way, would show.
{{ config(tags=["ties"]) }}

with
    documents as (
        select *
        from {{ ref("int_documents_in_motion") }}
        where document_type <> 'credit_memo' and not is_cancelled
    ),

    told as (
        select
            invoice_id,
            sum(
                case
                    when event_type = 'invoiced'
                    then event_amount
                    when event_type in ('paid', 'offset', 'discounted', 'written_off', 'adjusted')
                    then - event_amount
                    else 0
                end
            ) as told_amount
        from {{ ref("fct_order_to_cash") }}
        where invoice_id is not null
        group by invoice_id
    )

select documents.invoice_id, documents.currency_code, documents.open_amount, told.told_amount
from documents
left join told on told.invoice_id = documents.invoice_id
where documents.open_amount <> coalesce(told.told_amount, 0)
