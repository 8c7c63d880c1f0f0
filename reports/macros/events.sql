{# Events of all types that occurred from day(first) to the end of the day of the run: event_type, days_ago,
   occurred_ms, arrived_ms, schema_version. Each table is asked for its days alone. #}
{% macro events_by_day(first=0) %}
    select
        event_type,
        {{ days_between(day_of("occurred_at"), day()) }} as days_ago,
        {{ epoch_ms("occurred_at") }} as occurred_ms,
        {{ epoch_ms("arrived_at") }} as arrived_ms,
        schema_version
    from (
        {%- for type in event_types() %}
        {{ "union all " if not loop.first }}select '{{ type }}' as event_type, occurred_at, arrived_at, schema_version
        from {{ source("transformed", type) }} where occurred_at >= {{ midnight(first) }} and occurred_at < {{ midnight(1) }}
        {%- endfor %}
    ) as occurred
{% endmacro %}

{# Names as rows, so that what has none of them is told too: one column. #}
{% macro listed(names, column) %}
    {%- for name in names %}
    {{ "union all " if not loop.first }}select '{{ name }}' as {{ column }}
    {%- endfor %}
{% endmacro %}
