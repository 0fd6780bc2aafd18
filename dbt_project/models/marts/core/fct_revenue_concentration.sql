-- Which share of revenue the smallest, the largest and the tier C customers bring. One row per as_of_date
-- on which
-- anybody has revenue. Of the n customers with revenue above zero the smallest are the floor(share x n)
-- with the least,
-- ties by customer_id; revenue is that of the last 365 days in group currency.
with
    revenues as (select * from {{ ref("int_revenues_ranked") }} where revenue_amount > 0),
    controls as (select * from {{ ref("stg_controls") }}),
    policy as (select * from {{ ref("stg_reporting_policy") }}),

    placed as (
        select
            *,
            row_number() over (partition by as_of_date order by revenue_amount desc, customer_id) as place,
            count(*) over (partition by as_of_date) as customer_count
        from revenues
    ),

    summed as (
        select
            placed.as_of_date,
            sum(placed.revenue_amount) as revenue_amount,
            sum(
                case
                    when
                        placed.place
                        > placed.customer_count
                        - floor(placed.customer_count * policy.smallest_customer_ratio)
                    then placed.revenue_amount
                    else 0
                end
            ) as smallest_revenue_amount,
            sum(
                case when placed.value_tier = 'C' then placed.revenue_amount else 0 end
            ) as tier_c_revenue_amount,
            sum(case when placed.place = 1 then placed.revenue_amount else 0 end) as largest_revenue_amount,
            sum(case when placed.place <= 10 then placed.revenue_amount else 0 end) as top_10_revenue_amount,
            count(*) as customer_count,
            count(
                case
                    when
                        placed.place
                        > placed.customer_count
                        - floor(placed.customer_count * policy.smallest_customer_ratio)
                    then 1
                end
            ) as smallest_customer_count,
            count(case when placed.value_tier = 'C' then 1 end) as tier_c_customer_count
        from placed
        cross join policy
        group by placed.as_of_date
    )

select
    summed.as_of_date,
    controls.group_currency_code as currency_code,
    {{ money("summed.revenue_amount") }} as revenue_amount,
    {{ money("summed.smallest_revenue_amount") }} as smallest_revenue_amount,
    {{ money("summed.tier_c_revenue_amount") }} as tier_c_revenue_amount,
    {{ ratio("summed.smallest_revenue_amount", "summed.revenue_amount") }} as smallest_revenue_ratio,
    {{ ratio("summed.tier_c_revenue_amount", "summed.revenue_amount") }} as tier_c_revenue_ratio,
    {{ ratio("summed.largest_revenue_amount", "summed.revenue_amount") }} as largest_revenue_ratio,
    {{ ratio("summed.top_10_revenue_amount", "summed.revenue_amount") }} as top_10_revenue_ratio,
    summed.customer_count,
    summed.smallest_customer_count,
    summed.tier_c_customer_count
from summed
cross join controls
