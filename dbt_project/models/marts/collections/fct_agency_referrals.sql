-- Every item more than 90 days past due: proposed for an agency, or the conditions it fails.
-- One row per as_of_date, invoice_id, installment_number.
select
    cast(as_of_date as date) as as_of_date,
    entity_id,
    customer_id,
    invoice_id,
    cast(installment_number as bigint) as installment_number,
    currency_code,
    agency_id,
    status,
    rule,
    failed_conditions,
    policy_version,
    cast(referred_amount as decimal(18, 4)) as referred_amount,
    cast(days_past_due as bigint) as days_past_due
from {{ source("decided", "agency_referrals") }}
