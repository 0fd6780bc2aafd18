{# An exact share of an amount, amount * numerator / denominator, rounded once to the minor units of its currency,
   half away from zero. Numerator and denominator are whole numbers, so that 2/23 is no decimal that was cut.
   Holds while amount * numerator * 20000 < 10^38. #}
{% macro rounded_share(amount, numerator, denominator, minor_units) -%}
    {%- set step = "case " ~ minor_units ~ " when 0 then 10000 when 2 then 100 when 3 then 10 else 1 end" -%}
    cast(
        cast(
            sign({{ amount }}) * divide(
                cast(cast(abs({{ amount }}) as decimal(18, 4)) * 10000 as hugeint) * ({{ numerator }}) * 2
                + cast({{ denominator }} as hugeint) * ({{ step }}),
                cast({{ denominator }} as hugeint) * ({{ step }}) * 2
            )
            * ({{ step }}) as decimal(38, 0)
        )
        * cast(0.0001 as decimal(4, 4)) as decimal(18, 4)
    )
{%- endmacro %}
