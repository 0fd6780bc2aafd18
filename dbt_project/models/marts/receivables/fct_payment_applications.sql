-- Amounts set against documents up to the last run date, by the ledger, our engine or a person. One row per
-- application_id.
-- A view: the rows stand in int_applications_unioned.
{{ config(materialized="view") }}

with
    applications as (select * from {{ ref("int_applications_unioned") }}),
    contradicted as (select * from {{ ref("int_applications_contradicted") }})

select
    applications.application_id,
    applications.payment_id,
    applications.credit_memo_id,
    applications.invoice_id,
    applications.customer_id,
    applications.entity_id,
    applications.currency_code,
    applications.application_type,
    applications.reverses_application_id,
    applications.rule,
    applications.explanation,
    applications.applied_by,
    contradicted.reason_code as contradicted_by,
    applications.applied_amount,
    {{
        money(
            "case when applications.application_type = 'discount' then applications.applied_amount else 0 end"
        )
    }} as discount_amount,
    applications.score,
    applications.application_date,
    applications.effective_date
from applications
left join contradicted on contradicted.application_id = applications.application_id
