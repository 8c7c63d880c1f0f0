{% for type in event_types() -%}
{{ "union all" if not loop.first }}
select
    {{ day() }} as day,
    '{{ type }}' as event_type,
    count(*) as events,
    coalesce(sum(case when {{ epoch_ms("arrived_at") }} - {{ epoch_ms("occurred_at") }} > 3600000 then 1 else 0 end), 0)
        as events_late
from {{ source("transformed", type) }}
where occurred_at >= {{ midnight() }} and occurred_at < {{ midnight(1) }}
{% endfor %}
