-- What a payment of the exceptions may be for, best first. One row per payment_id, candidate_rank,
-- invoice_id.
select
    payment_id,
    candidate_rank,
    customer_id,
    invoice_id,
    currency_code,
    rule,
    reason,
    applied_amount,
    discount_amount,
    deduction_amount,
    score
from {{ ref("stg_cash_candidates") }}
