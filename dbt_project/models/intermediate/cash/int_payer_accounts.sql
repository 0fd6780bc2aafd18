-- Bank accounts from which customers paid before. One row per payer_account, customer_id.
with
    payments as (select * from {{ ref("int_payments_counted") }} where payer_account is not null),
    engine as (select * from {{ ref("stg_engine_applications") }}),
    as_of_dates as (select * from {{ ref("stg_as_of_dates") }}),
    last_run as (select max(as_of_date) as as_of_date from as_of_dates where is_run_date),

    -- of what persons said about one payment the last word counts, and of all payments from one account
    words as (
        select
            decisions.*,
            row_number() over (
                partition by decisions.payment_id
                order by decisions.decided_date desc, decisions.decision_id desc
            ) as turn
        from {{ ref("stg_cash_decisions") }} as decisions
        inner join last_run on last_run.as_of_date >= decisions.decided_date
        where decisions.action in ('assign', 'unassign')
    ),

    remembered as (
        select
            payments.payer_account,
            words.customer_id,
            row_number() over (
                partition by payments.payer_account order by words.decided_date desc, words.decision_id desc
            ) as turn
        from words
        inner join payments on payments.payment_id = words.payment_id
        where words.turn = 1 and words.action = 'assign' and words.remember and words.customer_id is not null
    ),

    -- what a person took back again, or the bank, says nothing
    settled as (
        select payment_id, customer_id
        from engine
        where application_type in ('payment', 'reversal')
        group by payment_id, customer_id
        having sum(applied_amount) > 0
    ),

    -- a payment names its customer, or a person does, or what it was applied to
    named as (
        select
            payments.payer_account,
            coalesce(payments.customer_id, words.customer_id, settled.customer_id) as customer_id
        from payments
        left join words on words.payment_id = payments.payment_id and words.turn = 1
        left join settled on settled.payment_id = payments.payment_id
    ),

    gathered as (
        select payer_account, customer_id, false as is_remembered
        from named
        union all
        select payer_account, customer_id, true
        from remembered
        where turn = 1
    )

select payer_account, customer_id, max(case when is_remembered then 1 else 0 end) = 1 as is_remembered
from gathered
where customer_id is not null
group by payer_account, customer_id
