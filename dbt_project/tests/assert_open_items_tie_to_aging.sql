-- Open items, aging and, on the last run date, documents say the same of every entity and currency.
{{ config(tags=["ties"]) }}

with
    as_of_dates as (select * from {{ ref("stg_as_of_dates") }}),
    last_run as (select max(as_of_date) as as_of_date from as_of_dates where is_run_date),

    lines as (
        select
            as_of_date,
            entity_id,
            currency_code,
            open_amount as item_amount,
            0 as aged_amount,
            0 as document_amount
        from {{ ref("fct_open_items") }}
        union all
        select as_of_date, entity_id, currency_code, 0, open_amount - credit_memo_amount, 0
        from {{ ref("fct_ar_aging") }}
        union all
        select last_run.as_of_date, invoices.entity_id, invoices.currency_code, 0, 0, invoices.open_amount
        from {{ ref("fct_invoices") }} as invoices
        cross join last_run
    ),

    totals as (
        select
            lines.as_of_date,
            lines.entity_id,
            lines.currency_code,
            lines.as_of_date = last_run.as_of_date as is_last_run,
            sum(lines.item_amount) as item_amount,
            sum(lines.aged_amount) as aged_amount,
            sum(lines.document_amount) as document_amount
        from lines
        cross join last_run
        group by
            lines.as_of_date, lines.entity_id, lines.currency_code, lines.as_of_date = last_run.as_of_date
    )

select as_of_date, entity_id, currency_code, item_amount, aged_amount, document_amount
from totals
where item_amount <> aged_amount or (is_last_run and item_amount <> document_amount)
