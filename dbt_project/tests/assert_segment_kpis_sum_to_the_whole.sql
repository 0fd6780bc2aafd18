-- The segments of each way of sorting customers are all there is: nobody is left out, nobody stands twice. In
-- group currency each segment is rounded by itself, so there the sums may differ by half a unit a segment.
{{ config(tags=["ties"]) }}

with
    run_dates as (select as_of_date from {{ ref("stg_as_of_dates") }} where is_run_date),
    currencies as (select * from {{ ref("stg_currencies") }}),

    summed as (
        select
            as_of_date,
            entity_id,
            currency_code,
            segment_dimension,
            count(*) as segment_count,
            sum(open_amount) as segments_open_amount,
            sum(past_due_amount) as segments_past_due_amount,
            sum(over_90_amount) as segments_over_90_amount,
            sum(net_amount) as segments_net_amount,
            sum(coalesce(credit_sales_amount, 0)) as segments_sales_amount
        from {{ ref("fct_ar_segment_kpis") }}
        group by as_of_date, entity_id, currency_code, segment_dimension
    ),

    compared as (
        select
            kpis.as_of_date,
            kpis.entity_id,
            kpis.currency_code,
            summed.segment_dimension,
            kpis.closing_open_amount,
            coalesce(summed.segments_open_amount, 0) as segments_open_amount,
            kpis.past_due_amount,
            coalesce(summed.segments_past_due_amount, 0) as segments_past_due_amount,
            kpis.over_90_amount,
            coalesce(summed.segments_over_90_amount, 0) as segments_over_90_amount,
            kpis.closing_net_amount,
            coalesce(summed.segments_net_amount, 0) as segments_net_amount,
            coalesce(kpis.credit_sales_amount, 0) as credit_sales_amount,
            coalesce(summed.segments_sales_amount, 0) as segments_sales_amount,
            case
                when kpis.entity_id <> 'ALL'
                then 0
                else
                    (coalesce(summed.segment_count, 0) + 1) * case
                        currencies.minor_units
                        when 0
                        then 0.5
                        when 2
                        then 0.005
                        when 3
                        then 0.0005
                        else 0.00005
                    end
            end as allowed_amount
        from {{ ref("fct_ar_kpis") }} as kpis
        inner join run_dates on run_dates.as_of_date = kpis.as_of_date
        left join
            summed
            on summed.as_of_date = kpis.as_of_date
            and summed.entity_id = kpis.entity_id
            and summed.currency_code = kpis.currency_code
        left join currencies on currencies.currency_code = kpis.currency_code
    )

select *
from compared
where
    abs(closing_open_amount - segments_open_amount) > allowed_amount
    or abs(past_due_amount - segments_past_due_amount) > allowed_amount
    or abs(over_90_amount - segments_over_90_amount) > allowed_amount
    or abs(closing_net_amount - segments_net_amount) > allowed_amount
    or abs(credit_sales_amount - segments_sales_amount) > allowed_amount
