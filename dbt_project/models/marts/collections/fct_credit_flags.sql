-- Reasons to review a customer's credit, each with the action proposed.
-- One row per as_of_date, customer_id, currency_code, flag_code.
select
    cast(as_of_date as date) as as_of_date,
    customer_id,
    flag_code,
    severity,
    currency_code,
    action,
    reason,
    policy_version,
    cast(exposure_amount as decimal(18, 4)) as exposure_amount,
    cast(credit_limit_amount as decimal(18, 4)) as credit_limit_amount,
    cast(recommended_limit_amount as decimal(18, 4)) as recommended_limit_amount,
    cast(utilisation_ratio as decimal(18, 6)) as utilisation_ratio
from {{ source("decided", "credit_flags") }}
