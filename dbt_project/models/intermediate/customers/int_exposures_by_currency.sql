-- What each customer owes and has ordered, currency by currency. One row per as_of_date, customer_id,
-- currency_code. Cash of unknown payers is nobody's exposure.
{{ config(materialized="table") }}

with
    parts as (
        select
            as_of_date,
            customer_id,
            currency_code,
            sum(case when document_type <> 'credit_memo' then open_amount else 0 end) as open_amount,
            sum(case when document_type = 'credit_memo' then - open_amount else 0 end) as credit_memo_amount,
            0 as unapplied_amount,
            sum(
                case when document_type <> 'credit_memo' and days_past_due >= 1 then open_amount else 0 end
            ) as past_due_amount,
            sum(
                case
                    when document_type <> 'credit_memo' and days_past_due >= 1 then disputed_amount else 0
                end
            ) as disputed_past_due_amount,
            0 as uninvoiced_order_amount,
            max(
                case when document_type <> 'credit_memo' and days_past_due >= 1 then days_past_due end
            ) as oldest_days_past_due
        from {{ ref("fct_open_items") }}
        group by as_of_date, customer_id, currency_code
        union all
        select as_of_date, customer_id, currency_code, 0, 0, sum(unapplied_amount), 0, 0, 0, null
        from {{ ref("int_unapplied_cash_summed") }}
        where customer_id <> '(unidentified)'
        group by as_of_date, customer_id, currency_code
        union all
        select as_of_date, customer_id, currency_code, 0, 0, 0, 0, 0, sum(uninvoiced_amount), null
        from {{ ref("int_orders_uninvoiced") }}
        group by as_of_date, customer_id, currency_code
    ),

    by_currency as (
        select
            as_of_date,
            customer_id,
            currency_code,
            sum(open_amount) as open_amount,
            sum(credit_memo_amount) as credit_memo_amount,
            sum(unapplied_amount) as unapplied_amount,
            sum(past_due_amount) as past_due_amount,
            sum(disputed_past_due_amount) as disputed_past_due_amount,
            sum(uninvoiced_order_amount) as uninvoiced_order_amount,
            max(oldest_days_past_due) as oldest_days_past_due
        from parts
        group by as_of_date, customer_id, currency_code
    )

select *
from by_currency
