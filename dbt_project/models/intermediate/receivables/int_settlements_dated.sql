-- Documents and the days on which they stand settled: from settled_date to the day before before_date, when
-- another move came. One row per invoice_id, settled_date.
-- What was settled, reopened and settled again was settled on the first day too, as long as that lasted.
with
    documents as (select * from {{ ref("int_invoices_settled") }} where not is_cancelled),
    between_moves as (select * from {{ ref("int_balances_between") }} where balance_amount = 0)

select
    invoice_id,
    customer_id,
    currency_code,
    document_type,
    status,
    invoice_amount,
    invoice_date,
    due_date,
    settled_date,
    cast('9999-12-31' as date) as before_date
from documents
where settled_date is not null
union all
select
    documents.invoice_id,
    documents.customer_id,
    documents.currency_code,
    documents.document_type,
    case
        when abs(between_moves.written_off_amount) > abs(between_moves.applied_amount)
        then 'written_off'
        else 'paid'
    end as status,
    documents.invoice_amount,
    documents.invoice_date,
    documents.due_date,
    between_moves.from_date as settled_date,
    between_moves.before_date
from between_moves
inner join documents on documents.invoice_id = between_moves.invoice_id
-- true of all that moved in between; it keeps all others out of the join
where documents.first_moved_date < documents.last_moved_date
union all
-- what is about nothing is settled until something moves it
select
    invoice_id,
    customer_id,
    currency_code,
    document_type,
    'paid' as status,
    invoice_amount,
    invoice_date,
    due_date,
    counts_from_date as settled_date,
    first_moved_date as before_date
from documents
where invoice_amount = 0 and first_moved_date > counts_from_date
