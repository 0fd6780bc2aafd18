-- What every recorded application and adjustment takes off a document, whatever its date. One row per
-- invoice_id
-- that anything was recorded of.
{{ config(materialized="table") }}

with
    movements as (
        select
            invoice_id,
            applied_amount as moved_amount,
            settlement_type in ('discount', 'write_off') as is_given_up,
            application_date as moved_date
        from {{ ref("int_applications_typed") }}
        union all
        select credit_memo_id, - applied_amount, false, application_date
        from {{ ref("int_applications_typed") }}
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
