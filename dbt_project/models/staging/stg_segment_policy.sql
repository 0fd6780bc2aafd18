-- Thresholds and weights of customer segments: one row.
select
    tier_a_revenue_ratio,
    tier_c_customer_ratio,
    slightly_late_days,
    new_customer_settled_count,
    risk_medium_ratio,
    risk_high_ratio,
    weight_days_late,
    weight_past_due,
    weight_trend,
    weight_broken_promises,
    weight_returned_payments,
    weight_utilisation,
    days_late_cap,
    trend_cap,
    broken_promise_cap,
    returned_payment_cap
from {{ source("policy", "segments") }}
