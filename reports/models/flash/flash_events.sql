with types as ({{ listed(event_types(), "event_type") }}),

occurred as ({{ events_by_day() }})

select
    {{ day() }} as day,
    types.event_type,
    count(occurred.event_type) as events,
    coalesce(sum(case when arrived_ms - occurred_ms > 3600000 then 1 else 0 end), 0) as events_late
from types
left join occurred on occurred.event_type = types.event_type
group by types.event_type
