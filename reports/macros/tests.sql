{# Rows whose key is null or stands more than once. #}
{% test key(model, columns) %}
select {{ columns | join(", ") }}, count(*) as times
from {{ model }}
group by {{ columns | join(", ") }}
having count(*) > 1{% for column in columns %} or {{ column }} is null{% endfor %}
{% endtest %}

{# Rows in which a share lies outside of 0 to 1. #}
{% test shares(model, columns) %}
select *
from {{ model }}
where {% for column in columns %}{{ "or " if not loop.first }}{{ column }} < 0 or {{ column }} > 1 {% endfor %}
{% endtest %}
