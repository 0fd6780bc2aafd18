-- Key figures that can be compared, one below the other. One row per as_of_date, entity_id, currency_code,
-- kpi_name; none where the figure is not known.
{% set kpi_names = [
    "dso_days",
    "dso_countback_days",
    "best_possible_dso_days",
    "average_days_delinquent",
    "collection_effectiveness_ratio",
    "collection_effectiveness_quarter_ratio",
    "ar_turnover_ratio",
    "past_due_ratio",
    "over_90_ratio",
    "past_due_invoice_ratio",
    "weighted_days_to_pay",
    "weighted_days_late",
    "at_risk_ratio",
    "bad_debt_ratio",
] %}

{% for kpi_name in kpi_names %}
    select as_of_date, entity_id, currency_code, '{{ kpi_name }}' as kpi_name, {{ kpi_name }} as kpi_value
    from {{ ref("fct_ar_kpis") }}
    where {{ kpi_name }} is not null
    {% if not loop.last %}
        union all
    {% endif %}
{% endfor %}
