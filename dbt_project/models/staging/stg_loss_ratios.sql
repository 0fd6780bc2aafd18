-- What of open debit items is not expected to come in. One row per aging_bucket.
select aging_bucket, loss_numerator, loss_denominator, forward_factor
from {{ source("policy", "loss_ratios") }}
