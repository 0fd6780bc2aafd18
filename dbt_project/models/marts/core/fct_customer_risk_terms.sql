-- The terms that a risk score is the sum of. One row per as_of_date, customer_id, term.
select as_of_date, customer_id, term, term_order, weight, value, contribution, is_missing
from {{ ref("int_risk_terms_scored") }}
