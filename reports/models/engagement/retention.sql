{%- set cohort_days = 29 -%}
{#- A listener's first day is looked for in all that the lake holds: who was away for long is not new again. -#}
with seen as (
    select {{ listener() }} as listener, occurred_at as seen_at
    from {{ source("transformed", "app_opened") }}
    where occurred_at < {{ midnight(1) }}
    union all
    select listener_key as listener, started_at as seen_at
    from {{ source("transformed", "sessions") }}
    where started_at < {{ midnight(1) }}
),

first_days as (
    select listener, {{ day_of("min(seen_at)") }} as cohort_day
    from seen
    where listener is not null
    group by listener
),

bounds as (
    select min(cohort_day) as first_day_of_data from first_days
),

active as (
    {{ active_days(cohort_days) }}
),

came_back as (
    select
        first_days.cohort_day,
        first_days.listener,
        {% for days in (1, 7, 28) -%}
        max(case when {{ days_between("first_days.cohort_day", "active.day") }} = {{ days }} then 1 else 0 end) as day_{{ days }}{{ "," if not loop.last }}
        {% endfor %}
    from first_days
    inner join active on first_days.listener = active.listener
    where first_days.cohort_day >= {{ day(1 - cohort_days) }}
    group by first_days.cohort_day, first_days.listener
),

cohorts as (
    select
        cohort_day,
        count(*) as new_listeners,
        {% for days in (1, 7, 28) -%}
        case when {{ days_between("cohort_day", day()) }} >= {{ days }} then sum(day_{{ days }}) end as returned_day_{{ days }}{{ "," if not loop.last }}
        {% endfor %}
    from came_back
    group by cohort_day
)

select
    {{ day() }} as day,
    cohorts.cohort_day,
    {{ days_between("bounds.first_day_of_data", "cohorts.cohort_day") }} as days_of_data_before,
    cohorts.new_listeners,
    {% for days in (1, 7, 28) -%}
    cohorts.returned_day_{{ days }},
    {{ share("cohorts.returned_day_" ~ days, "cohorts.new_listeners") }} as day_{{ days }}_share{{ "," if not loop.last }}
    {% endfor %}
from cohorts
cross join bounds
