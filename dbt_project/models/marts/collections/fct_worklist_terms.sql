-- The terms that a worklist score is the sum of.
-- One row per as_of_date, customer_id, currency_code, term.
select
    cast(as_of_date as date) as as_of_date,
    customer_id,
    currency_code,
    term,
    cast(weight as decimal(18, 6)) as weight,
    cast(value as decimal(18, 6)) as value,
    cast(contribution as decimal(18, 6)) as contribution
from {{ source("decided", "worklist_terms") }}
