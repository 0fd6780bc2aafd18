-- Amounts that customers withheld by the last run date, and whether they still are. One row per deduction_id.
{{ config(materialized="table") }}

with
    as_of_dates as (select * from {{ ref("stg_as_of_dates") }}),
    last_run as (select max(as_of_date) as as_of_date from as_of_dates where is_run_date),
    invoices as (select * from {{ ref("int_invoices_settled") }}),
    payments as (select * from {{ ref("int_payments_counted") }}),

    deductions as (
        select deductions.*
        from {{ ref("stg_cash_deductions") }} as deductions
        inner join last_run on last_run.as_of_date >= deductions.deducted_date
    ),

    -- what was applied in the same settlement, and when that was taken back
    pairs as (
        select
            applications.payment_id,
            applications.invoice_id,
            applications.effective_date as applied_date,
            negations.effective_date as negated_date
        from {{ ref("int_applications_unioned") }} as applications
        inner join
            (select distinct payment_id, invoice_id from deductions) as touched
            on touched.payment_id = applications.payment_id
            and touched.invoice_id = applications.invoice_id
        left join
            {{ ref("int_applications_unioned") }} as negations
            on negations.reverses_application_id = applications.application_id
        where applications.application_type <> 'reversal'
    ),

    standing as (
        select payment_id, invoice_id, count(*) as standing_count
        from pairs
        where negated_date is null
        group by payment_id, invoice_id
    ),

    -- settled anew on the day it was taken back, the deduction of that day is of the new settlement
    negated as (
        select deductions.deduction_id, min(pairs.negated_date) as reversed_date
        from deductions
        inner join
            pairs on pairs.payment_id = deductions.payment_id and pairs.invoice_id = deductions.invoice_id
        left join
            standing
            on standing.payment_id = deductions.payment_id
            and standing.invoice_id = deductions.invoice_id
        where
            pairs.applied_date <= deductions.deducted_date
            and (
                pairs.negated_date > deductions.deducted_date
                or (pairs.negated_date = deductions.deducted_date and standing.standing_count is null)
            )
        group by deductions.deduction_id
    ),

    went_back as (
        select returned.payment_id, max(reversals.value_date) as reversed_date
        from {{ ref("int_payments_returned") }} as returned
        inner join payments as reversals on reversals.reverses_payment_id = returned.payment_id
        where returned.left_amount = 0
        group by returned.payment_id
    ),

    judged as (
        select
            deductions.*,
            coalesce(invoices.entity_id, payments.entity_id) as entity_id,
            case
                when coalesce(negated.reversed_date, went_back.reversed_date) is not null
                then 'reversed'
                when invoices.open_amount = 0
                then 'settled'
                else 'open'
            end as status,
            coalesce(negated.reversed_date, went_back.reversed_date, invoices.settled_date) as resolved_date
        from deductions
        left join invoices on invoices.invoice_id = deductions.invoice_id
        left join payments on payments.payment_id = deductions.payment_id
        left join negated on negated.deduction_id = deductions.deduction_id
        left join went_back on went_back.payment_id = deductions.payment_id
    )

select
    deduction_id,
    payment_id,
    invoice_id,
    customer_id,
    entity_id,
    currency_code,
    customer_reason_code,
    reason_code,
    status,
    explanation,
    deduction_amount,
    opens_dispute,
    deducted_date,
    resolved_date
from judged
