{# An amount on the minor units of its currency (JPY 0, EUR 2, KWD 3), half away from zero. The places must be
   constants: DuckDB rounds a decimal to no other. Each branch is cast by itself, else the first one's scale is that
   of all. A currency without known minor units keeps four. #}
{% macro rounded(expression, minor_units) -%}
    case
        {{ minor_units }}
        when 0
        then cast(round({{ expression }}, 0) as decimal(18, 4))
        when 2
        then cast(round({{ expression }}, 2) as decimal(18, 4))
        when 3
        then cast(round({{ expression }}, 3) as decimal(18, 4))
        else cast(round({{ expression }}, 4) as decimal(18, 4))
    end
{%- endmacro %}
