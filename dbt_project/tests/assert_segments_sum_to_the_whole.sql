-- Customers and their revenue by size and behaviour are all customers and all revenue, on every run date.
{{ config(tags=["ties"]) }}

with
    lines as (
        select as_of_date, customer_count, revenue_amount, 0 as segment_count, 0 as segment_revenue_amount
        from {{ ref("fct_segment_matrix") }}
        union all
        select as_of_date, 0, 0, 1, coalesce(revenue_amount, 0)
        from {{ ref("fct_customer_segments") }}
    )

select
    as_of_date,
    sum(customer_count) as customer_count,
    sum(segment_count) as segment_count,
    sum(revenue_amount) as revenue_amount,
    sum(segment_revenue_amount) as segment_revenue_amount
from lines
group by as_of_date
having sum(customer_count) <> sum(segment_count) or sum(revenue_amount) <> sum(segment_revenue_amount)
