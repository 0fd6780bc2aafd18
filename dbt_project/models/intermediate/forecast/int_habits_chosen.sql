-- How many days after the due date a customer is expected to pay: usually, early and late. One row per
-- as_of_date, customer_id. basis names whose habits they are: the customer's own (its weighted days late, the
-- plain average where its currencies cannot be weighed), with too few settled items those of its segment,
-- then
-- of the whole ledger (middle days late); where nothing was ever settled the terms alone.
{{ config(materialized="table") }}

with
    profiles as (select * from {{ ref("int_customers_profiled") }}),
    pools as (select * from {{ ref("int_habits_pooled") }}),
    policy as (select * from {{ ref("stg_reporting_policy") }}),

    chosen as (
        select
            profiles.as_of_date,
            profiles.customer_id,
            case
                when own.settled_count >= policy.own_settled_count
                then 'customer'
                when segments.settled_count >= policy.segment_settled_count
                then 'segment'
                when ledgers.settled_count > 0
                then 'ledger'
                else 'terms'
            end as basis,
            profiles.segment,
            cast(
                round(coalesce(profiles.weighted_days_late, profiles.average_days_late), 0) as bigint
            ) as own_days,
            own.early_days as own_early_days,
            own.late_days as own_late_days,
            segments.early_days as segment_early_days,
            segments.middle_days as segment_middle_days,
            segments.late_days as segment_late_days,
            ledgers.early_days as ledger_early_days,
            ledgers.middle_days as ledger_middle_days,
            ledgers.late_days as ledger_late_days
        from profiles
        cross join policy
        left join
            pools as own
            on own.as_of_date = profiles.as_of_date
            and own.pool_type = 'customer'
            and own.pool_id = profiles.customer_id
        left join
            pools as segments
            on segments.as_of_date = profiles.as_of_date
            and segments.pool_type = 'segment'
            and segments.pool_id = profiles.segment
        left join
            pools as ledgers on ledgers.as_of_date = profiles.as_of_date and ledgers.pool_type = 'ledger'
    ),

    habits as (
        select
            as_of_date,
            customer_id,
            basis,
            case
                basis when 'customer' then customer_id when 'segment' then segment when 'ledger' then '(all)'
            end as pool_id,
            case
                basis
                when 'customer'
                then own_days
                when 'segment'
                then segment_middle_days
                when 'ledger'
                then ledger_middle_days
                else 0
            end as usual_days,
            case
                basis
                when 'customer'
                then own_early_days
                when 'segment'
                then segment_early_days
                when 'ledger'
                then ledger_early_days
                else 0
            end as early_days,
            case
                basis
                when 'customer'
                then own_late_days
                when 'segment'
                then segment_late_days
                when 'ledger'
                then ledger_late_days
                else 0
            end as late_days
        from chosen
    )

-- one large item can take the weighted figure out of what most items do
select
    as_of_date,
    customer_id,
    basis,
    pool_id,
    cast(usual_days as bigint) as usual_days,
    cast(least(early_days, usual_days) as bigint) as early_days,
    cast(greatest(late_days, usual_days) as bigint) as late_days
from habits
