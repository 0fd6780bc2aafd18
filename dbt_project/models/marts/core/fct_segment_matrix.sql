-- Customers by size and behaviour. One row per as_of_date, value_tier, behaviour_class. What is owed counts
-- where it can
-- be put into group currency; unsummed_customer_count says of how many customers it cannot.
with
    profiles as (select * from {{ ref("int_customers_profiled") }}),
    controls as (select * from {{ ref("stg_controls") }}),

    summed as (
        select
            profiles.as_of_date,
            coalesce(profiles.value_tier, 'none') as value_tier,
            profiles.behaviour_class,
            controls.group_currency_code as currency_code,
            sum(profiles.revenue_amount) as revenue_amount,
            sum(
                case
                    when profiles.exposure_currency_code = controls.group_currency_code
                    then profiles.open_amount
                end
            ) as open_amount,
            sum(
                case
                    when profiles.exposure_currency_code = controls.group_currency_code
                    then profiles.past_due_amount
                end
            ) as past_due_amount,
            sum(profiles.revenue_share_ratio) as revenue_share_ratio,
            count(*) as customer_count,
            count(case when profiles.risk_class = 'high' then 1 end) as high_risk_customer_count,
            count(
                case
                    when coalesce(profiles.exposure_currency_code <> controls.group_currency_code, true)
                    then 1
                end
            ) as unsummed_customer_count
        from profiles
        cross join controls
        group by
            profiles.as_of_date,
            coalesce(profiles.value_tier, 'none'),
            profiles.behaviour_class,
            controls.group_currency_code
    )

select
    as_of_date,
    value_tier,
    behaviour_class,
    currency_code,
    {{ money("coalesce(revenue_amount, 0)") }} as revenue_amount,
    {{ money("coalesce(open_amount, 0)") }} as open_amount,
    {{ money("coalesce(past_due_amount, 0)") }} as past_due_amount,
    cast(coalesce(revenue_share_ratio, 0) as decimal(18, 6)) as revenue_share_ratio,
    {{ ratio("past_due_amount", "open_amount") }} as past_due_ratio,
    customer_count,
    high_risk_customer_count,
    unsummed_customer_count
from summed
