-- Amounts set against documents up to the last run date, by the ledger, our engine or a person. One row per
-- application_id.
-- A view: the rows stand in int_applications_unioned.
{{ config(materialized="view") }}

select
    application_id,
    payment_id,
    credit_memo_id,
    invoice_id,
    customer_id,
    entity_id,
    currency_code,
    application_type,
    reverses_application_id,
    rule,
    explanation,
    applied_by,
    applied_amount,
    {{ money("case when application_type = 'discount' then applied_amount else 0 end") }} as discount_amount,
    score,
    application_date,
    effective_date
from {{ ref("int_applications_unioned") }}
