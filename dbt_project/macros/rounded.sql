{# An amount on the minor units of its currency (JPY 0, EUR 2, KWD 3), half away from zero. The places must be
   constants: DuckDB rounds a decimal to no other. A currency without known minor units keeps four. #}
{% macro rounded(expression, minor_units) -%}
    cast(
        case
            {{ minor_units }}
            when 0
            then round({{ expression }}, 0)
            when 2
            then round({{ expression }}, 2)
            when 3
            then round({{ expression }}, 3)
            else round({{ expression }}, 4)
        end as decimal(18, 4)
    )
{%- endmacro %}
