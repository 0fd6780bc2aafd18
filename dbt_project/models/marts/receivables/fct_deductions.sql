-- Amounts that customers withheld, and whether they still are on the last run date. One row per deduction_id.
with
    deductions as (select * from {{ ref("int_deductions_judged") }}),
    reasons as (select * from {{ ref("stg_deduction_reasons") }})

select
    deductions.deduction_id,
    deductions.payment_id,
    deductions.invoice_id,
    deductions.customer_id,
    deductions.entity_id,
    deductions.currency_code,
    deductions.customer_reason_code,
    deductions.reason_code,
    reasons.reason,
    deductions.status,
    deductions.explanation,
    deductions.deduction_amount,
    deductions.opens_dispute,
    deductions.deducted_date,
    deductions.resolved_date
from deductions
left join reasons on reasons.reason_code = deductions.reason_code
