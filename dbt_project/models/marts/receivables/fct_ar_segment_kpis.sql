-- Key figures of customer segments on the run dates. One row per as_of_date, entity_id, currency_code,
-- segment_dimension, segment. Customers are sorted as on the run date, also for the month ends before it.
with
    summed as (select * from {{ ref("int_segments_summed") }}),
    historyless as (select * from {{ ref("int_historyless_ledgers") }}),

    standing as (select * from summed where month_number = 0),

    ratios as (
        select
            as_of_date,
            entity_id,
            currency_code,
            segment_dimension,
            segment,
            month_number,
            {{ ratio("past_due_amount", "open_amount") }} as past_due_ratio
        from summed
    ),

    trends as (
        select
            as_of_date,
            entity_id,
            currency_code,
            segment_dimension,
            segment,
            max(case when month_number = 1 then past_due_ratio end) as past_due_month_end_1_ratio,
            max(case when month_number = 2 then past_due_ratio end) as past_due_month_end_2_ratio,
            max(case when month_number = 3 then past_due_ratio end) as past_due_month_end_3_ratio,
            max(case when month_number = 4 then past_due_ratio end) as past_due_month_end_4_ratio
        from ratios
        group by as_of_date, entity_id, currency_code, segment_dimension, segment
    )

select
    standing.as_of_date,
    standing.entity_id,
    standing.currency_code,
    standing.segment_dimension,
    standing.segment,
    standing.customer_count,
    standing.open_amount,
    standing.past_due_amount,
    standing.over_90_amount,
    standing.net_amount,
    case when historyless.entity_id is null then standing.sales_amount end as credit_sales_amount,
    {{ ratio("standing.past_due_amount", "standing.open_amount") }} as past_due_ratio,
    {{ ratio("standing.over_90_amount", "standing.open_amount") }} as over_90_ratio,
    case
        when historyless.entity_id is null
        then {{ ratio("standing.net_amount", "standing.sales_amount", times=90) }}
    end as dso_days,
    trends.past_due_month_end_1_ratio,
    trends.past_due_month_end_2_ratio,
    trends.past_due_month_end_3_ratio,
    trends.past_due_month_end_4_ratio,
    -- three months in a row: four month ends, each above the one before
    coalesce(
        trends.past_due_month_end_1_ratio > trends.past_due_month_end_2_ratio
        and trends.past_due_month_end_2_ratio > trends.past_due_month_end_3_ratio
        and trends.past_due_month_end_3_ratio > trends.past_due_month_end_4_ratio,
        false
    ) as is_past_due_rising
from standing
inner join
    trends
    on trends.as_of_date = standing.as_of_date
    and trends.entity_id = standing.entity_id
    and trends.currency_code = standing.currency_code
    and trends.segment_dimension = standing.segment_dimension
    and trends.segment = standing.segment
left join
    historyless
    on historyless.entity_id = standing.entity_id
    and historyless.currency_code = standing.currency_code
