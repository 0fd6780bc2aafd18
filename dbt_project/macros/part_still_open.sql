{# What is still open of one part of an invoice in installments, of which an amount is open in all: money settles the
   parts due first, so what is open stands on those due last. The first part takes what the parts do not add up to,
   and all of an overpayment. ``installments`` has the columns of int_installments_ranged. #}
{% macro part_still_open(balance_amount, installments) -%}
    case
        when {{ installments }}.due_order = 1
        then
            case
                when {{ balance_amount }} < 0
                then {{ balance_amount }}
                else greatest({{ balance_amount }} - {{ installments }}.later_amount, 0)
            end
        else
            least(
                greatest({{ balance_amount }} - {{ installments }}.later_amount, 0),
                {{ installments }}.installment_amount
            )
    end
{%- endmacro %}
