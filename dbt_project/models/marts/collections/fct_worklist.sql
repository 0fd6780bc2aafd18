-- Whom each collector calls, best first, and why.
-- One row per as_of_date, collector_id, customer_id, currency_code: one currency, the group's, wherever
-- rates are known.
select
    cast(as_of_date as date) as as_of_date,
    collector_id,
    customer_id,
    currency_code,
    priority_class,
    next_action,
    reason,
    policy_version,
    cast(past_due_amount as decimal(18, 4)) as past_due_amount,
    cast(priority_score as decimal(18, 6)) as priority_score,
    cast(work_rank as bigint) as work_rank,
    cast(oldest_days_past_due as bigint) as oldest_days_past_due,
    cast(is_in_capacity as boolean) as is_in_capacity
from {{ source("decided", "worklist") }}
