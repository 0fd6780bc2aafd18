{# An exact quotient as decimal(18, 6), rounded half away from zero, null when the denominator is not above zero.
   The operator / makes a DOUBLE, and sqlfmt takes the other one, two slashes, for a comment: hence divide(). Here
   both sides become whole ten-thousandths, the integer division cuts, and half a unit more before the cut decides
   the last digit. `times` multiplies the numerator before the one rounding.
   Numbers of one customer fit 64 bits, where whole and remainder are divided apart: a twentieth of the time of 128
   bits, which larger ones need (measured 2026-11). Amounts are widened there first: their own type ends at ten
   billion once multiplied by ten thousand.
   Holds while numerator * times < 10^17 and for inputs of at most four decimals. #}
{% macro ratio(numerator, denominator, times=1) -%}
    {%- set whole = (
        "(cast(cast(abs(" ~ numerator ~ ") as decimal(18, 4)) * 10000 as bigint) * " ~ times ~ ")"
    ) -%}
    {%- set divisor = "cast(cast(" ~ denominator ~ " as decimal(18, 4)) * 10000 as bigint)" -%}
    case
        when not coalesce(({{ denominator }}) > 0, false)
        then null
        when ({{ denominator }}) < 400000000 and abs({{ numerator }}) < 9000000000
        then
            cast(
                cast(
                    sign({{ numerator }}) * (
                        divide({{ whole }}, {{ divisor }}) * 1000000
                        + divide(({{ whole }} % {{ divisor }}) * 2000000 + {{ divisor }}, {{ divisor }} * 2)
                    ) as decimal(18, 0)
                )
                * cast(0.000001 as decimal(6, 6)) as decimal(18, 6)
            )
        else
            cast(
                cast(
                    sign({{ numerator }}) * divide(
                        cast(cast(abs({{ numerator }}) as decimal(38, 4)) * 10000 as hugeint)
                        * {{ times }}
                        * 2000000
                        + cast(cast({{ denominator }} as decimal(38, 4)) * 10000 as hugeint),
                        cast(cast({{ denominator }} as decimal(38, 4)) * 10000 as hugeint) * 2
                    ) as decimal(38, 0)
                )
                * cast(0.000001 as decimal(18, 6)) as decimal(18, 6)
            )
    end
{%- endmacro %}
