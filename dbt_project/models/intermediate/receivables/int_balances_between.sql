-- Balances of documents that moved on several days, after each move but the last. One row per invoice_id,
-- from_date.
{{ config(materialized="table") }}

with
    moved_often as (
        select invoice_id, invoice_amount
        from {{ ref("int_invoices_settled") }}
        where first_moved_date < last_moved_date and not is_cancelled
    ),

    movements_by_day as (
        select
            movements.invoice_id,
            movements.effective_date,
            moved_often.invoice_amount,
            sum(movements.moved_amount) as moved_amount
        from {{ ref("int_movements_dated") }} as movements
        inner join moved_often on moved_often.invoice_id = movements.invoice_id
        group by movements.invoice_id, movements.effective_date, moved_often.invoice_amount
    ),

    running as (
        select
            invoice_id,
            effective_date as from_date,
            lead(effective_date) over (partition by invoice_id order by effective_date) as before_date,
            invoice_amount - sum(moved_amount) over (
                partition by invoice_id
                order by effective_date
                rows between unbounded preceding and current row
            ) as balance_amount
        from movements_by_day
    )

select invoice_id, {{ money("balance_amount") }} as balance_amount, from_date, before_date
from running
where before_date is not null and balance_amount <> 0
