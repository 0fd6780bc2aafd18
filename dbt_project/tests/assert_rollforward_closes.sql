-- Opening and the flows of a month make its closing. In group currency the rates move it, too.
{{ config(tags=["ties"]) }}

select
    month_end_date,
    entity_id,
    currency_code,
    opening_amount
    + invoiced_amount
    - credited_amount
    - collected_amount
    - discount_amount
    - written_off_amount
    - adjusted_amount
    + fx_amount as rolled_amount,
    closing_amount
from {{ ref("fct_ar_rollforward") }}
where
    opening_amount
    + invoiced_amount
    - credited_amount
    - collected_amount
    - discount_amount
    - written_off_amount
    - adjusted_amount
    + fx_amount
    <> closing_amount
