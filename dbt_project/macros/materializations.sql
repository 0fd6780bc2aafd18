{# A build file is fresh: nothing has to be kept while a model is made, renamed and swapped. Each model is one
   statement, half the work of the adapter's own ways. Made again in the same file, a model is dropped first. #}
{% materialization view, adapter = "duckdb" %}
    {%- set existing = load_cached_relation(this) -%}
    {%- set target = this.incorporate(type="view") -%}
    {% if existing is not none %} {% do adapter.drop_relation(existing) %} {% endif %}
    {% call statement("main") -%} {{ create_view_as(target, sql) }} {%- endcall %}
    {% do adapter.commit() %}
    {{ return({"relations": [target]}) }}
{% endmaterialization %}

{% materialization table, adapter = "duckdb", supported_languages = ["sql"] %}
    {%- set existing = load_cached_relation(this) -%}
    {%- set target = this.incorporate(type="table") -%}
    {% if existing is not none %} {% do adapter.drop_relation(existing) %} {% endif %}
    {% call statement("main") -%} {{ create_table_as(False, target, sql) }} {%- endcall %}
    {% do adapter.commit() %}
    {{ return({"relations": [target]}) }}
{% endmaterialization %}
