-- Sums of segments, per entity and currency and, as entity ALL, in group currency where the whole has a
-- row there. One row per as_of_date, entity_id, currency_code, segment_dimension, segment, month_number.
{{ config(materialized="table") }}

with
    figures as (select * from {{ ref("int_customer_figures") }}),
    segments as (select * from {{ ref("int_segments_listed") }}),
    currencies as (select * from {{ ref("stg_currencies") }}),
    groups as (select as_of_date, currency_code from {{ ref("fct_ar_kpis") }} where entity_id = 'ALL'),

    sorted as (
        select figures.*, segments.segment_dimension, segments.segment
        from figures
        inner join
            segments
            on segments.as_of_date = figures.as_of_date
            and segments.customer_id = figures.customer_id
    ),

    summed as (
        select
            as_of_date,
            entity_id,
            currency_code,
            segment_dimension,
            segment,
            month_number,
            count(
                distinct case when open_amount <> 0 and customer_id <> '(unidentified)' then customer_id end
            ) as customer_count,
            sum(open_amount) as open_amount,
            sum(past_due_amount) as past_due_amount,
            sum(over_90_amount) as over_90_amount,
            sum(net_amount) as net_amount,
            sum(sales_amount) as sales_amount
        from sorted
        group by as_of_date, entity_id, currency_code, segment_dimension, segment, month_number
        union all
        select
            sorted.as_of_date,
            'ALL' as entity_id,
            groups.currency_code,
            sorted.segment_dimension,
            sorted.segment,
            sorted.month_number,
            count(
                distinct case
                    when sorted.open_amount <> 0 and sorted.customer_id <> '(unidentified)'
                    then sorted.customer_id
                end
            ),
            sum(sorted.open_amount * sorted.rate),
            sum(sorted.past_due_amount * sorted.rate),
            sum(sorted.over_90_amount * sorted.rate),
            sum(sorted.net_amount * sorted.rate),
            sum(sorted.group_sales_amount)
        from sorted
        inner join groups on groups.as_of_date = sorted.as_of_date
        group by
            sorted.as_of_date,
            groups.currency_code,
            sorted.segment_dimension,
            sorted.segment,
            sorted.month_number
        -- of an earlier month end a currency may have had no rate
        having count(*) = count(sorted.rate)
    )

select
    summed.as_of_date,
    summed.entity_id,
    summed.currency_code,
    summed.segment_dimension,
    summed.segment,
    summed.month_number,
    cast(summed.customer_count as bigint) as customer_count,
    {{ rounded("summed.open_amount", "currencies.minor_units") }} as open_amount,
    {{ rounded("summed.past_due_amount", "currencies.minor_units") }} as past_due_amount,
    {{ rounded("summed.over_90_amount", "currencies.minor_units") }} as over_90_amount,
    {{ rounded("summed.net_amount", "currencies.minor_units") }} as net_amount,
    {{ rounded("summed.sales_amount", "currencies.minor_units") }} as sales_amount
from summed
left join currencies on currencies.currency_code = summed.currency_code
