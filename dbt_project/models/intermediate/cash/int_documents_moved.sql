-- What every recorded application and adjustment takes off a document, whatever its date. What a cancelled
-- credit memo had settled is open again. One row per invoice_id that anything was recorded of.
{{ config(materialized="table") }}

with
    cancelled as (select invoice_id from {{ ref("stg_invoices") }} where status = 'cancelled'),

    applications as (
        select applications.*
        from {{ ref("int_applications_typed") }} as applications
        left join cancelled on cancelled.invoice_id = applications.credit_memo_id
        where cancelled.invoice_id is null
    ),

    movements as (
        select
            invoice_id,
            applied_amount as moved_amount,
            settlement_type in ('discount', 'write_off') as is_given_up,
            application_date as moved_date
        from applications
        union all
        select credit_memo_id, - applied_amount, false, application_date
        from applications
        where settlement_type = 'credit_memo' and credit_memo_id is not null
        union all
        select invoice_id, adjustment_amount, true, adjustment_date
        from {{ ref("stg_adjustments") }}
    )

select
    invoice_id,
    {{ money("sum(case when is_given_up then 0 else moved_amount end)") }} as paid_amount,
    {{ money("sum(case when is_given_up then moved_amount else 0 end)") }} as given_up_amount,
    max(moved_date) as last_moved_date
from movements
group by invoice_id
