{# Days from the first date to the second, negative when the second is earlier. #}
{% macro days_between(from_date, to_date) -%}
    cast({{ dbt.datediff(from_date, to_date, "day") }} as bigint)
{%- endmacro %}
