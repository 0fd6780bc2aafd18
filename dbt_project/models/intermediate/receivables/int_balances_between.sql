-- Balances of documents that moved on several days, after each day of moves but the last, also those of
-- zero. One row per invoice_id, from_date.
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
            sum(movements.moved_amount) as moved_amount,
            sum(
                case when movements.movement_type = 'write_off' then movements.moved_amount else 0 end
            ) as written_off_amount,
            sum(
                case when movements.movement_type = 'adjustment' then movements.moved_amount else 0 end
            ) as adjusted_amount
        from {{ ref("int_movements_dated") }} as movements
        inner join moved_often on moved_often.invoice_id = movements.invoice_id
        group by movements.invoice_id, movements.effective_date, moved_often.invoice_amount
    ),

    running as (
        select
            invoice_id,
            effective_date as from_date,
            lead(effective_date) over (partition by invoice_id order by effective_date) as before_date,
            invoice_amount - sum(moved_amount) over until_then as balance_amount,
            sum(moved_amount - written_off_amount - adjusted_amount) over until_then as applied_amount,
            sum(written_off_amount) over until_then as written_off_amount
        from movements_by_day
        window
            until_then as (
                partition by invoice_id
                order by effective_date
                rows between unbounded preceding and current row
            )
    )

select
    invoice_id,
    {{ money("balance_amount") }} as balance_amount,
    {{ money("applied_amount") }} as applied_amount,
    {{ money("written_off_amount") }} as written_off_amount,
    from_date,
    before_date
from running
where before_date is not null
