-- Our own reasons for deductions. One row per reason_code.
select reason_code, reason, opens_dispute from {{ source("policy", "deduction_reasons") }}
