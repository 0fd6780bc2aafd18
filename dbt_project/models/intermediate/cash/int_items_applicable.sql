-- Documents that cash can settle or lately has, after every recorded application. One row per invoice_id.
with
    documents as (select * from {{ ref("int_documents_dated") }} where not is_cancelled),
    policy as (select * from {{ ref("stg_matching_policy") }}),
    as_of_dates as (select * from {{ ref("stg_as_of_dates") }}),
    last_run as (select max(as_of_date) as as_of_date from as_of_dates where is_run_date),

    movements as (
        select
            invoice_id,
            applied_amount as moved_amount,
            settlement_type in ('discount', 'write_off') as is_given_up,
            application_date as moved_date
        from {{ ref("int_applications_typed") }}
        union all
        select credit_memo_id, - applied_amount, false, application_date
        from {{ ref("int_applications_typed") }}
        where settlement_type = 'credit_memo' and credit_memo_id is not null
        union all
        select invoice_id, adjustment_amount, true, adjustment_date
        from {{ ref("stg_adjustments") }}
    ),

    moved as (
        select
            invoice_id,
            sum(case when is_given_up then 0 else moved_amount end) as paid_amount,
            sum(case when is_given_up then moved_amount else 0 end) as given_up_amount,
            max(moved_date) as last_moved_date
        from movements
        group by invoice_id
    ),

    reopened as (
        select applications.invoice_id, applications.credit_memo_id
        from {{ ref("int_applications_recorded") }} as applications
        inner join
            {{ ref("int_payments_applicable") }} as reversals
            on reversals.reverses_payment_id = applications.payment_id
    ),

    reopened_documents as (
        select invoice_id
        from reopened
        union
        select credit_memo_id
        from reopened
        where credit_memo_id is not null
    ),

    summed as (
        select
            documents.*,
            -- what is given up on a credit memo lowers what we owe, so it raises a negative amount
            documents.invoice_amount
            - coalesce(moved.paid_amount, 0)
            - case when documents.document_type = 'credit_memo' then -1 else 1 end
            * coalesce(moved.given_up_amount, 0) as left_amount,
            coalesce(moved.last_moved_date, documents.counts_from_date) as last_moved_date
        from documents
        left join moved on moved.invoice_id = documents.invoice_id
    ),

    opened as (
        select
            *,
            -- nothing can be taken of what the ledger has settled more than once
            case
                when document_type = 'credit_memo' then least(left_amount, 0) else greatest(left_amount, 0)
            end as open_amount
        from summed
    )

select
    opened.invoice_id,
    opened.entity_id,
    opened.customer_id,
    opened.invoice_number,
    opened.document_type,
    opened.order_id,
    opened.po_number,
    opened.currency_code,
    opened.invoice_amount,
    {{ money("opened.open_amount") }} as open_amount,
    opened.discount_ratio,
    opened.invoice_date,
    opened.due_date,
    opened.discount_due_date
from opened
cross join policy
cross join last_run
left join reopened_documents on reopened_documents.invoice_id = opened.invoice_id
where
    opened.open_amount <> 0
    or reopened_documents.invoice_id is not null
    or {{ days_between("opened.last_moved_date", "last_run.as_of_date") }} <= policy.paid_lookback_days
