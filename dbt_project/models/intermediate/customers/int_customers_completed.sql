-- Customers, and a stub for each id that only documents mention; without a status a customer is active.
-- One row per customer_id. Cash application compares payers with these names, so they are made in its pass
-- too.
{{ config(materialized="table", tags=["cash"]) }}

with
    customers as (select * from {{ ref("stg_customers") }}),

    mentioned as (
        select customer_id
        from {{ ref("stg_invoices") }}
        union
        select customer_id
        from {{ ref("stg_payments") }}
        union
        select customer_id
        from {{ ref("stg_orders") }}
        union
        select customer_id
        from {{ ref("stg_promises") }}
        union
        select customer_id
        from {{ ref("stg_plans") }}
        union
        select customer_id
        from {{ ref("stg_engine_applications") }}
        union
        select customer_id
        from {{ ref("stg_payer_assignments") }}
    ),

    unknown as (
        select mentioned.customer_id
        from mentioned
        left join customers on customers.customer_id = mentioned.customer_id
        where mentioned.customer_id is not null and customers.customer_id is null
    ),

    completed as (
        select
            coalesce(customers.customer_id, unknown.customer_id) as customer_id,
            coalesce(customers.customer_name, unknown.customer_id) as customer_name,
            customers.parent_customer_id,
            customers.customer_group,
            customers.country_code,
            customers.language_code,
            customers.customer_type,
            coalesce(customers.status, 'active') as status,
            customers.collector_id,
            customers.account_owner_email,
            customers.external_credit_score,
            customers.credit_limit_currency_code,
            customers.credit_limit_amount,
            customers.equity_amount,
            customers.revenue_amount,
            customers.payment_terms_days,
            customers.customer_id is null as is_stub,
            customers.credit_limit_valid_until,
            customers.financials_date,
            customers.created_date
        from customers
        full outer join unknown on unknown.customer_id = customers.customer_id
    )

select *
from completed
