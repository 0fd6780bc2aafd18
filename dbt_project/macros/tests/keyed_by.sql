{# The columns identify a row and are never null, but for those named nullable. A failing row is a key and how often
   it stands there. #}
{% test keyed_by(model, columns, nullable=[]) %}
    select {{ columns | join(", ") }}, count(*) as row_count
    from {{ model }}
    group by {{ columns | join(", ") }}
    having
        count(*) > 1
        {% for column in columns if column not in nullable %} or {{ column }} is null {% endfor %}
{% endtest %}
