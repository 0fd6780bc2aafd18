-- Documents that cash can settle or lately has, after every recorded application. One row per invoice_id.
with
    documents as (select * from {{ ref("int_documents_reduced") }} where not is_cancelled),
    policy as (select * from {{ ref("stg_matching_policy") }}),
    as_of_dates as (select * from {{ ref("stg_as_of_dates") }}),
    last_run as (select max(as_of_date) as as_of_date from as_of_dates where is_run_date),

    -- what was settled with a payment that went back, and is to be reopened
    reopened as (
        select applications.invoice_id, applications.credit_memo_id
        from {{ ref("int_applications_recorded") }} as applications
        inner join
            {{ ref("int_payments_returned") }} as returned on returned.payment_id = applications.payment_id
        where not returned.is_carried_out
    ),

    reopened_documents as (
        select invoice_id
        from reopened
        union
        select credit_memo_id
        from reopened
        where credit_memo_id is not null
    ),

    opened as (
        select
            *,
            -- nothing can be taken of what is settled more than once
            case
                when document_type = 'credit_memo' then least(left_amount, 0) else greatest(left_amount, 0)
            end as open_amount
        from documents
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
