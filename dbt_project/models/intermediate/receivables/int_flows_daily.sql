-- What moved net receivables, and what was sold, given up and paid how late. One row per flow_date,
-- entity_id, currency_code.
-- Applying cash moves nothing here, except what is settled by money or credit memos that we do not see (or
-- that
-- settles documents we do not see, or stands in another entity or currency).
{{ config(materialized="table") }}

with
    documents as (select * from {{ ref("int_invoices_settled") }} where not is_cancelled),
    payments as (select * from {{ ref("int_payments_applied") }}),
    movements as (select * from {{ ref("int_movements_dated") }}),

    applications as (select * from {{ ref("int_applications_unioned") }}),

    reversals as (
        select applications.application_id, reversed.days_to_pay, reversed.days_late
        from applications
        inner join applications as reversed on reversed.application_id = applications.reverses_application_id
    ),

    -- a reversal takes back the days of what it reverses
    settlements as (
        select
            applications.effective_date as flow_date,
            applications.entity_id,
            applications.currency_code,
            applications.applied_amount,
            coalesce(reversals.days_to_pay, applications.days_to_pay) as days_to_pay,
            coalesce(reversals.days_late, applications.days_late) as days_late
        from applications
        left join reversals on reversals.application_id = applications.application_id
        where applications.is_document_counted and applications.settlement_type = 'payment'
    ),

    flows as (
        select
            counts_from_date as flow_date,
            entity_id,
            currency_code,
            case when document_type = 'credit_memo' then 'credited' else 'invoiced' end as flow_type,
            abs(invoice_amount) as flow_amount,
            0 as days_to_pay,
            0 as days_late
        from documents
        union all
        select value_date, entity_id, currency_code, 'collected', payment_amount, 0, 0
        from payments
        union all
        select
            effective_date,
            entity_id,
            currency_code,
            case when settlement_type = 'payment' then 'collected' else 'credited' end,
            applied_amount,
            0,
            0
        from {{ ref("int_applications_unioned") }}
        where moves_document_side and settlement_type in ('payment', 'credit_memo')
        union all
        select
            effective_date,
            source_entity_id,
            source_currency_code,
            case when settlement_type = 'payment' then 'collected' else 'credited' end,
            - applied_amount,
            0,
            0
        from {{ ref("int_applications_unioned") }}
        where moves_source_side and settlement_type in ('payment', 'credit_memo')
        union all
        select effective_date, entity_id, currency_code, movement_type, moved_amount, 0, 0
        from movements
        where movement_type in ('discount', 'write_off', 'adjustment')
        union all
        select flow_date, entity_id, currency_code, 'settled', applied_amount, days_to_pay, days_late
        from settlements
    )

select
    flow_date,
    entity_id,
    currency_code,
    {{ money("sum(case when flow_type = 'invoiced' then flow_amount else 0 end)") }} as invoiced_amount,
    {{ money("sum(case when flow_type = 'credited' then flow_amount else 0 end)") }} as credited_amount,
    {{ money("sum(case when flow_type = 'collected' then flow_amount else 0 end)") }} as collected_amount,
    {{ money("sum(case when flow_type = 'discount' then flow_amount else 0 end)") }} as discount_amount,
    {{ money("sum(case when flow_type = 'write_off' then flow_amount else 0 end)") }} as written_off_amount,
    {{ money("sum(case when flow_type = 'adjustment' then flow_amount else 0 end)") }} as adjusted_amount,
    {{ money("sum(case when flow_type = 'settled' then flow_amount else 0 end)") }} as settled_amount,
    {{ money("sum(case when flow_type = 'settled' then flow_amount * days_to_pay else 0 end)") }}
    as settled_amount_days_to_pay,
    {{ money("sum(case when flow_type = 'settled' then flow_amount * days_late else 0 end)") }}
    as settled_amount_days_late
from flows
group by flow_date, entity_id, currency_code
