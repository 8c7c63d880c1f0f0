{# Relations are named by database (Redshift: schema) and table alone: the account's catalog is the only one. #}
{% macro ref(model) %}{% do return(builtins.ref(model).include(database=false)) %}{% endmacro %}

{% macro source(part, table) %}{% do return(builtins.source(part, table).include(database=false)) %}{% endmacro %}
