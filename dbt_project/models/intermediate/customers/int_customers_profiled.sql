-- Customers with their segment and what is known of their habits on the run date. One row per
-- as_of_date, customer_id. New with fewer settled items than the policy asks for, else by weighted days
-- late (by the plain average where the customer's currencies cannot be weighed). Without revenue a
-- customer has no tier.
{{ config(materialized="table") }}

with
    customers as (select * from {{ ref("int_customers_completed") }}),
    habits as (select * from {{ ref("int_habits_gathered") }}),
    policy as (select * from {{ ref("stg_segment_policy") }}),

    scores as (
        select
            as_of_date,
            customer_id,
            cast(sum(contribution) as decimal(18, 6)) as risk_score,
            {{
                dbt.listagg(
                    "case when is_missing then replace(term, '_', ' ') end", "', '", "order by term_order"
                )
            }} as missing_terms
        from {{ ref("fct_customer_risk_terms") }}
        group by as_of_date, customer_id
    ),

    classed as (
        select
            habits.*,
            case
                when habits.settled_invoice_count < policy.new_customer_settled_count
                then 'new'
                when coalesce(habits.weighted_days_late, habits.average_days_late) <= 0
                then 'always_on_time'
                when
                    coalesce(habits.weighted_days_late, habits.average_days_late) <= policy.slightly_late_days
                then 'slightly_late'
                else 'chronically_late'
            end as behaviour_class,
            scores.risk_score,
            case
                when scores.risk_score >= policy.risk_high_ratio
                then 'high'
                when scores.risk_score >= policy.risk_medium_ratio
                then 'medium'
                else 'low'
            end as risk_class,
            scores.missing_terms
        from habits
        inner join scores on scores.as_of_date = habits.as_of_date and scores.customer_id = habits.customer_id
        cross join policy
    )

select
    classed.*,
    coalesce(classed.value_tier, 'no revenue')
    || ' / '
    || replace(classed.behaviour_class, '_', ' ') as segment,
    customers.customer_name,
    customers.parent_customer_id,
    customers.customer_group,
    customers.country_code,
    customers.language_code,
    customers.customer_type,
    customers.status,
    customers.collector_id,
    customers.account_owner_email,
    customers.credit_limit_currency_code,
    customers.credit_limit_amount,
    customers.is_stub,
    customers.credit_limit_valid_until
from classed
inner join customers on customers.customer_id = classed.customer_id
