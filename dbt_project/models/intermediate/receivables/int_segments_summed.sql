-- Sums of segments, per entity and currency and, as entity ALL, in group currency. One row per as_of_date,
-- entity_id, currency_code, segment_dimension, segment, month_number. Of an earlier month end on which a
-- currency had no rate there is no row in group currency.
with
    cells as (select * from {{ ref("int_segment_cells") }}),
    currencies as (select * from {{ ref("stg_currencies") }}),

    listed as (
        {% for dimension in ["value_tier", "behaviour_class", "risk_class", "customer_group"] %}
            select cells.*, '{{ dimension }}' as segment_dimension, cells.{{ dimension }} as segment
            from cells
            {% if not loop.last %}
                union all
            {% endif %}
        {% endfor %}
    ),

    summed as (
        select
            as_of_date,
            entity_id,
            currency_code,
            segment_dimension,
            segment,
            month_number,
            sum(customer_count) as customer_count,
            sum(open_amount) as open_amount,
            sum(past_due_amount) as past_due_amount,
            sum(over_90_amount) as over_90_amount,
            sum(net_amount) as net_amount,
            sum(sales_amount) as sales_amount
        from listed
        group by as_of_date, entity_id, currency_code, segment_dimension, segment, month_number
        having sum(unrated_count) = 0
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
