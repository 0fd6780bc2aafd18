-- Our engine and our persons apply no more than a payment or credit memo has and a document asks for, on
-- any date; a
-- reversal takes back no more than stands. What earlier runs applied and the ledger has spoken against
-- since is a
-- person's to look at, and does not stop the run.
{{ config(tags=["ties"]) }}

with
    applications as (select * from {{ ref("fct_payment_applications") }}),
    contradicted as (select * from {{ ref("int_applications_contradicted") }}),
    typed as (
        select application_id, settlement_type, settled_amount from {{ ref("int_applications_unioned") }}
    ),

    ours as (
        select applications.*, typed.settlement_type, typed.settled_amount
        from applications
        inner join typed on typed.application_id = applications.application_id
        where applications.applied_by <> 'ledger'
    ),

    movements as (
        select 'payment' as subject, payment_id as subject_id, applied_amount, effective_date
        from ours
        where settlement_type = 'payment'
        union all
        select 'document', invoice_id, settled_amount, effective_date
        from ours
        union all
        select 'document', credit_memo_id, - applied_amount, effective_date
        from ours
        where settlement_type = 'credit_memo' and credit_memo_id is not null
    ),

    daily as (
        select subject, subject_id, effective_date, sum(applied_amount) as applied_amount
        from movements
        group by subject, subject_id, effective_date
    ),

    standing as (
        select
            subject,
            subject_id,
            effective_date,
            sum(applied_amount) over (
                partition by subject, subject_id
                order by effective_date
                rows between unbounded preceding and current row
            ) as applied_amount
        from daily
    ),

    wholes as (
        select
            'payment' as subject,
            payments.payment_id as subject_id,
            payments.payment_amount as whole_amount,
            payments.applied_amount
        from {{ ref("fct_payments") }} as payments
        where payments.payment_id in (select subject_id from standing where subject = 'payment')
        union all
        select
            'document',
            invoices.invoice_id,
            invoices.invoice_amount,
            invoices.invoice_amount - invoices.open_amount
        from {{ ref("fct_invoices") }} as invoices
        where invoices.invoice_id in (select subject_id from standing where subject = 'document')
    ),

    known as (
        select 'payment' as subject, payment_id as subject_id
        from contradicted
        union
        select 'document', invoice_id
        from contradicted
        union
        select 'document', credit_memo_id
        from contradicted
    ),

    -- ours alone on each date, and all together on the last
    compared as (
        select standing.subject, standing.subject_id, wholes.whole_amount, standing.applied_amount
        from standing
        inner join wholes on wholes.subject = standing.subject and wholes.subject_id = standing.subject_id
        union
        select wholes.subject, wholes.subject_id, wholes.whole_amount, wholes.applied_amount
        from wholes
        left join known on known.subject = wholes.subject and known.subject_id = wholes.subject_id
        where known.subject_id is null
    )

select subject, subject_id, whole_amount, applied_amount
from compared
where
    (whole_amount >= 0 and (applied_amount > whole_amount or applied_amount < 0))
    or (whole_amount < 0 and (applied_amount < whole_amount or applied_amount > 0))
