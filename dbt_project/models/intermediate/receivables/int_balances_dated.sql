-- Balances of documents and the days they stand: from from_date to the day before before_date.
-- One row per invoice_id, from_date; no row where nothing is open.
-- Most documents move on one day at most: those need no window over their movements.
with
    documents as (select * from {{ ref("int_invoices_settled") }} where not is_cancelled),
    between_moves as (select * from {{ ref("int_balances_between") }}),

    balances as (
        select
            documents.*,
            {{ money("documents.invoice_amount") }} as balance_amount,
            documents.counts_from_date as from_date,
            coalesce(documents.first_moved_date, cast('9999-12-31' as date)) as before_date
        from {{ ref("int_invoices_settled") }} as documents
        where not documents.is_cancelled
        union all
        select
            documents.*,
            {{ money("documents.open_amount") }} as balance_amount,
            documents.last_moved_date as from_date,
            cast('9999-12-31' as date) as before_date
        from {{ ref("int_invoices_settled") }} as documents
        where not documents.is_cancelled and documents.last_moved_date is not null
        union all
        select documents.*, between_moves.balance_amount, between_moves.from_date, between_moves.before_date
        from between_moves
        inner join documents on documents.invoice_id = between_moves.invoice_id
        -- true of all that moved in between; it keeps all others out of the join
        where documents.first_moved_date < documents.last_moved_date
    )

select *
from balances
where balance_amount <> 0 and from_date < before_date
