-- The segment of each customer in each way of sorting customers. One row per as_of_date, customer_id,
-- segment_dimension. Money of unknown payers is a segment of its own in each.
with
    customers as (select * from {{ ref("int_customers_profiled") }}),
    run_dates as (select as_of_date from {{ ref("stg_as_of_dates") }} where is_run_date)

{% for dimension, otherwise in [
        ("value_tier", "no revenue"),
        ("behaviour_class", "unknown"),
        ("risk_class", "unknown"),
        ("customer_group", "no group"),
    ] %}
    select
        as_of_date,
        customer_id,
        '{{ dimension }}' as segment_dimension,
        coalesce({{ dimension }}, '{{ otherwise }}') as segment
    from customers
    union all
    select
        as_of_date,
        '(unidentified)' as customer_id,
        '{{ dimension }}' as segment_dimension,
        '(unidentified)' as segment
    from run_dates
    {% if not loop.last %}
        union all
    {% endif %}
{% endfor %}
