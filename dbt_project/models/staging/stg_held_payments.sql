-- Payments of which nothing is applied: what they came with does not tie. One row per payment_id.
select payment_id, reason_code, reason from {{ source("raw", "held_payments") }}
