{# The day that a statement is run for, moved by whole days: {{ day() }}, {{ day(-28) }}. A date. #}
{% macro day(offset=0) %}
    {%- if offset == 0 -%}cast('__DAY__' as date){%- else -%}{{ days_from("cast('__DAY__' as date)", offset) }}{%- endif -%}
{% endmacro %}

{# The moment at which that day begins, moved by whole days; {{ midnight(1) }} is its end. A timestamp. #}
{% macro midnight(offset=0) %}cast({{ day(offset) }} as timestamp){% endmacro %}

{# The moment up to which near-real-time statements look. A timestamp. #}
{% macro as_of() %}cast('__AS_OF__' as timestamp){% endmacro %}

{# A date moved by a whole number of days. A date. #}
{% macro days_from(date, days) %}{{ adapter.dispatch("days_from", "amp")(date, days) }}{% endmacro %}
{% macro default__days_from(date, days) %}({{ date }} {{ "-" if days < 0 else "+" }} {{ days | abs }}){% endmacro %}
{% macro athena__days_from(date, days) %}date_add('day', {{ days }}, {{ date }}){% endmacro %}

{# Whole days from one date to another, negative when it is earlier. An integer. #}
{% macro days_between(first, second) %}{{ adapter.dispatch("days_between", "amp")(first, second) }}{% endmacro %}
{% macro default__days_between(first, second) %}({{ second }} - {{ first }}){% endmacro %}
{% macro athena__days_between(first, second) %}date_diff('day', {{ first }}, {{ second }}){% endmacro %}

{# The UTC day of a moment, whether its column keeps a zone or not. A date. #}
{% macro day_of(moment) %}cast({{ moment }} as date){% endmacro %}

{# Milliseconds since 1970-01-01 UTC. A bigint, so that intervals are reckoned exactly and alike by all engines. #}
{% macro epoch_ms(moment) %}{{ adapter.dispatch("epoch_ms", "amp")(moment) }}{% endmacro %}
{% macro duckdb__epoch_ms(moment) %}epoch_ms({{ moment }}){% endmacro %}
{% macro athena__epoch_ms(moment) %}date_diff('millisecond', timestamp '1970-01-01 00:00:00', cast({{ moment }} as timestamp(3))){% endmacro %}
{% macro redshift__epoch_ms(moment) %}cast(datediff('millisecond', cast('1970-01-01' as timestamp), cast({{ moment }} as timestamp)) as bigint){% endmacro %}

{# A date moved by a whole number of months; the last day where the month has no such day. A date. #}
{% macro months_from(date, months) %}{{ adapter.dispatch("months_from", "amp")(date, months) }}{% endmacro %}
{% macro duckdb__months_from(date, months) %}cast({{ date }} + interval ({{ months }}) month as date){% endmacro %}
{% macro athena__months_from(date, months) %}date_add('month', {{ months }}, {{ date }}){% endmacro %}
{% macro redshift__months_from(date, months) %}cast(dateadd('month', {{ months }}, {{ date }}) as date){% endmacro %}

{# A moment moved by whole hours, a number or an expression. A timestamp. #}
{% macro hours_from(moment, hours) %}{{ adapter.dispatch("hours_from", "amp")(moment, hours) }}{% endmacro %}
{% macro duckdb__hours_from(moment, hours) %}({{ moment }} + interval ({{ hours }}) hour){% endmacro %}
{% macro athena__hours_from(moment, hours) %}date_add('hour', {{ hours }}, {{ moment }}){% endmacro %}
{% macro redshift__hours_from(moment, hours) %}dateadd('hour', {{ hours }}, {{ moment }}){% endmacro %}

{# Whether a row of the raw zone arrived on the day of the run: its partition column says the hour. #}
{% macro arrived_on_the_day() %}arrival >= '__DAY__-00' and arrival <= '__DAY__-23'{% endmacro %}
