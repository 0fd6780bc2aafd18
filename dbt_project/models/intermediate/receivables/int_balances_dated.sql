-- Balances of documents and the days they stand: from from_date to the day before before_date.
-- One row per invoice_id, from_date; no row where nothing is open.
-- Most documents move on one day at most: those need no window over their movements.
with
    documents as (select * from {{ ref("int_invoices_settled") }} where not is_cancelled),

    moved_often as (
        select invoice_id, invoice_amount from documents where first_moved_date < last_moved_date
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

    -- from its first move to its last a document has a balance after each
    in_between as (
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
    ),

    balances as (
        select
            documents.*,
            {{ money("documents.invoice_amount") }} as balance_amount,
            documents.counts_from_date as from_date,
            coalesce(documents.first_moved_date, cast('9999-12-31' as date)) as before_date
        from documents
        union all
        select
            documents.*,
            {{ money("documents.open_amount") }} as balance_amount,
            documents.last_moved_date as from_date,
            cast('9999-12-31' as date) as before_date
        from documents
        where documents.last_moved_date is not null
        union all
        select
            documents.*,
            {{ money("in_between.balance_amount") }} as balance_amount,
            in_between.from_date,
            in_between.before_date
        from in_between
        inner join documents on documents.invoice_id = in_between.invoice_id
        where in_between.before_date is not null
    )

select *
from balances
where balance_amount <> 0 and from_date < before_date
