{# Arithmetic widens decimals: every amount is brought back to the one type that amounts have. #}
{% macro money(expression) -%} cast({{ expression }} as decimal(18, 4)) {%- endmacro %}
