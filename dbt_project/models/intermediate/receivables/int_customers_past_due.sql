-- Open and past-due debit items of customers on the month ends before each run date, as far as a trend
-- looks back. One row per month_end_date, entity_id, customer_id, currency_code.
{{ config(materialized="table") }}

with
    month_ends as (select distinct month_end_date from {{ ref("int_past_due_months") }}),
    installments as (select * from {{ ref("int_installments_ranged") }}),

    balances as (
        select
            invoice_id,
            entity_id,
            customer_id,
            currency_code,
            balance_amount,
            due_date,
            from_date,
            before_date,
            has_installments
        from {{ ref("int_balances_dated") }}
        where
            document_type <> 'credit_memo'
            -- what was settled before the first of them stands on none
            and before_date > (select min(month_end_date) from {{ ref("int_past_due_months") }})
    ),

    standing as (
        select month_ends.month_end_date, balances.*
        from month_ends
        inner join
            balances
            on balances.from_date <= month_ends.month_end_date
            and balances.before_date > month_ends.month_end_date
    ),

    items as (
        select month_end_date, entity_id, customer_id, currency_code, balance_amount as open_amount, due_date
        from standing
        where not has_installments
        union all
        select
            standing.month_end_date,
            standing.entity_id,
            standing.customer_id,
            standing.currency_code,
            {{ part_still_open("standing.balance_amount", "installments") }} as open_amount,
            installments.due_date
        from standing
        inner join installments on installments.invoice_id = standing.invoice_id
        where standing.has_installments
    )

select
    month_end_date,
    entity_id,
    customer_id,
    currency_code,
    {{ money("sum(open_amount)") }} as open_amount,
    {{ money("sum(case when due_date < month_end_date then open_amount else 0 end)") }} as past_due_amount
from items
group by month_end_date, entity_id, customer_id, currency_code
