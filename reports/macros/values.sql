{# A number as a double, so that no engine divides integers. #}
{% macro double(number) %}cast({{ number }} as {{ adapter.dispatch("double_type", "amp")() }}){% endmacro %}
{% macro default__double_type() %}double precision{% endmacro %}
{% macro athena__double_type() %}double{% endmacro %}

{# One number over another: null where the other is 0. A double. #}
{% macro quotient(number, by) %}{{ double(number) }} / nullif({{ double(by) }}, 0){% endmacro %}

{# A share of a whole that holds it: null where the whole is 0, else from 0 to 1. A double. #}
{% macro share(part, whole) %}{{ quotient(part, whole) }}{% endmacro %}

{# The first element of an array of strings, null where there is none. A string. #}
{% macro first_of(array) %}{{ adapter.dispatch("first_of", "amp")(array) }}{% endmacro %}
{% macro duckdb__first_of(array) %}{{ array }}[1]{% endmacro %}
{% macro athena__first_of(array) %}element_at({{ array }}, 1){% endmacro %}
{% macro redshift__first_of(array) %}cast({{ array }}[0] as varchar){% endmacro %}

{# Who listened or acted: the person where signed in, else the device. #}
{% macro listener(alias="") %}{% set of = alias ~ "." if alias else "" %}coalesce({{ of }}user_key, {{ of }}device_key){% endmacro %}

{# An array of names as one text, `a, b`; null where there is no array. #}
{% macro joined(array) %}{{ adapter.dispatch("joined", "amp")(array) }}{% endmacro %}
{% macro duckdb__joined(array) %}array_to_string({{ array }}, ', '){% endmacro %}
{% macro athena__joined(array) %}array_join({{ array }}, ', '){% endmacro %}
{% macro redshift__joined(array) %}replace(translate(json_serialize({{ array }}), '["]', ''), ',', ', '){% endmacro %}
