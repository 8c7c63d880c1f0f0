{#- Counts of the day by themselves, so that a day on which nothing happened has a row of zeros. -#}
with active as (
    {{ active_days(28) }}
),

present as (
    select
        count(distinct case when day = {{ day() }} then listener end) as daily_active,
        count(distinct case when day >= {{ day(-6) }} then listener end) as weekly_active,
        count(distinct listener) as monthly_active,
        count(distinct day) as days_with_activity
    from active
),

heard as (
    select count(distinct listener_key) as listeners
    from {{ source("transformed", "sessions") }}
    where started_at >= {{ midnight(-7) }} and started_at < {{ midnight(1) }} and ended_at > {{ midnight() }}
),

opened as (
    select count(*) as app_opens
    from {{ source("transformed", "app_opened") }}
    where occurred_at >= {{ midnight() }} and occurred_at < {{ midnight(1) }}
),

listening as (
    select
        coalesce(sum(sessions), 0) as sessions,
        coalesce(sum(minutes_listened), 0) as minutes_listened
    from {{ source("transformed", "show_statistics_daily") }}
    where day = {{ day() }}
)

select
    {{ day() }} as day,
    present.daily_active,
    present.weekly_active,
    present.monthly_active,
    {{ share("present.daily_active", "present.monthly_active") }} as stickiness_share,
    present.days_with_activity,
    opened.app_opens,
    heard.listeners,
    {{ share("heard.listeners", "present.daily_active") }} as listening_share,
    listening.sessions,
    listening.minutes_listened,
    {{ quotient("listening.minutes_listened", "heard.listeners") }} as minutes_per_listener,
    {{ quotient("listening.sessions", "heard.listeners") }} as sessions_per_listener
from present
cross join heard
cross join opened
cross join listening
