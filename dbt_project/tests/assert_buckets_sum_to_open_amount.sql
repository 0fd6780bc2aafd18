-- The buckets of a customer are all it has open.
{{ config(tags=["ties"]) }}

select
    as_of_date,
    entity_id,
    customer_id,
    currency_code,
    current_amount
    + past_due_1_30_amount
    + past_due_31_60_amount
    + past_due_61_90_amount
    + past_due_over_90_amount as bucket_amount,
    open_amount
from {{ ref("fct_ar_aging") }}
where
    current_amount
    + past_due_1_30_amount
    + past_due_31_60_amount
    + past_due_61_90_amount
    + past_due_over_90_amount
    <> open_amount
