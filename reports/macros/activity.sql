{# Who was there on which of the last days: listener, day. One row for each listener and UTC day, from day(1 - days) to
   day(), on which they opened the app or heard something. A session counts on every day that it reaches into; it is
   taken to be at most a week long, so that few of them are read. #}
{% macro active_days(days) %}
select {{ listener() }} as listener, {{ day_of("occurred_at") }} as day
from {{ source("transformed", "app_opened") }}
where occurred_at >= {{ midnight(1 - days) }} and occurred_at < {{ midnight(1) }} and {{ listener() }} is not null
union
select sessions.listener_key as listener, calendar.day
from {{ source("transformed", "sessions") }} as sessions
inner join ({{ calendar(days) }}) as calendar
    on sessions.started_at < calendar.ends_at and sessions.ended_at > calendar.begins_at
where
    sessions.started_at >= {{ midnight(-6 - days) }} and sessions.started_at < {{ midnight(1) }}
    and sessions.ended_at > {{ midnight(1 - days) }}
    and sessions.listener_key is not null
{% endmacro %}

{# The last days up to day(): day, and the moments at which it begins and ends. #}
{% macro calendar(days) %}
{% for back in range(days) -%}
{{ "union all " if not loop.first }}select {{ day(-back) }} as day, {{ midnight(-back) }} as begins_at, {{ midnight(1 - back) }} as ends_at
{% endfor %}
{%- endmacro %}

{# The playback events in which something was heard. A condition. #}
{% macro was_heard(alias="") %}{% set of = alias ~ "." if alias else "" %}{{ of }}playback_listened_ms > 0 and {{ of }}show_id is not null{% endmacro %}
