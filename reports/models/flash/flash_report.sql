{%- set measures = [
    "listeners", "new_users", "sessions", "shows", "minutes_listened", "peak_concurrency", "peak_concurrency_of_a_show",
    "likes", "calls", "chat_messages", "follows_gained", "poll_votes",
] -%}
{%- set of_shows = [
    "sessions", "shows", "minutes_listened", "peak_concurrency_of_a_show", "likes", "calls", "chat_messages",
    "follows_gained", "poll_votes",
] -%}
with ended as ({{ heard_intervals(-28) }}),

pieces as ({{ heard_pieces(-28) }}),

stretches as ({{ stretches("pieces") }}),

concurrency as ({{ peak_concurrency() }}),

listening as (
    select days_ago, count(distinct listener_key) as listeners
    from pieces
    group by days_ago
),

sign_ups as (
    select
        {{ days_between(day_of("occurred_at"), day()) }} as days_ago,
        count(distinct coalesce(user_key, device_key, event_id)) as new_users
    from {{ source("transformed", "sign_up") }}
    where occurred_at >= {{ midnight(-28) }} and occurred_at < {{ midnight(1) }}
    group by {{ day_of("occurred_at") }}
),

statistics as (
    select
        {{ days_between("day", day()) }} as days_ago,
        sum(sessions) as sessions,
        sum(case when minutes_listened > 0 then 1 else 0 end) as shows,
        sum(minutes_listened) as minutes_listened,
        max(peak_concurrency) as peak_concurrency_of_a_show,
        sum(likes) as likes,
        sum(calls) as calls,
        sum(chat_messages) as chat_messages,
        sum(follows_gained) as follows_gained,
        sum(poll_votes) as poll_votes
    from {{ source("transformed", "show_statistics_daily") }}
    where day >= {{ day(-28) }} and day <= {{ day() }}
    group by day
),

history as ({{ history() }}),

days as (
    select days_ago from listening
    union
    select days_ago from sign_ups
    union
    select days_ago from statistics
    union
    select 0 as days_ago
),

measured as (
    select
        days.days_ago,
        history.days_compared,
        listening.listeners,
        sign_ups.new_users,
        concurrency.peak_concurrency,
        {%- for measure in of_shows %}
        statistics.{{ measure }}{{ "," if not loop.last }}
        {%- endfor %}
    from days
    cross join history
    left join listening on listening.days_ago = days.days_ago
    left join sign_ups on sign_ups.days_ago = days.days_ago
    left join concurrency on concurrency.days_ago = days.days_ago
    left join statistics on statistics.days_ago = days.days_ago
),

counted as (
    select coalesce(sum(events), 0) as events
    from {{ ref("flash_events") }}
    where day = {{ day() }}
)

select
    {{ day() }} as day,
    max(counted.events) as events,
    max(days_compared) as days_compared,
    {%- for measure in measures %}
    {{ compared(measure) }}{{ "," if not loop.last }}
    {%- endfor %}
from measured
cross join counted
