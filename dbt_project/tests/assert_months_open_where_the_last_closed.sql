-- A month opens with what the one before closed with; no month in between is left out.
{{ config(tags=["ties"]) }}

with
    open_months as (
        select month_end_date, month_opening_date as previous_month_end_date
        from {{ ref("int_months_dated") }}
    ),
    rolled as (select * from {{ ref("fct_ar_rollforward") }})

select
    closed.month_end_date,
    closed.entity_id,
    closed.currency_code,
    closed.closing_amount,
    opened.opening_amount as next_opening_amount
from rolled as closed
inner join open_months on open_months.previous_month_end_date = closed.month_end_date
left join
    rolled as opened
    on opened.month_end_date = open_months.month_end_date
    and opened.entity_id = closed.entity_id
    and opened.currency_code = closed.currency_code
where
    -- a currency that has no rate any more ends the months in group currency
    (opened.month_end_date is null and closed.entity_id <> 'ALL')
    or opened.opening_amount <> closed.closing_amount
