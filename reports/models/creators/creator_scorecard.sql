{%- set of_shows = ["likes", "calls", "chat_messages", "poll_votes", "follows_gained"] -%}
with catalog as ({{ shows_of_the_day() }}),

owned as (
    select
        creator_key,
        count(*) as shows,
        sum(case when status = 'live' then 1 else 0 end) as shows_live
    from catalog
    where creator_key is not null
    group by creator_key
),

statistics as (
    select
        catalog.creator_key,
        count(distinct case when minutes_listened > 0 then statistics.show_id end) as shows_heard,
        count(distinct case when minutes_listened > 0 then statistics.day end) as days_heard,
        sum(minutes_listened) as minutes_listened,
        max(peak_concurrency) as peak_concurrency_of_a_show,
        {%- for measure in of_shows %}
        sum({{ measure }}) as {{ measure }}{{ "," if not loop.last }}
        {%- endfor %}
    from {{ source("transformed", "show_statistics_daily") }} as statistics
    inner join catalog on catalog.show_id = statistics.show_id
    where statistics.day >= {{ day(-27) }} and statistics.day <= {{ day() }} and catalog.creator_key is not null
    group by catalog.creator_key
),

statistics_before as (
    select catalog.creator_key, sum(minutes_listened) as minutes_listened_before
    from {{ source("transformed", "show_statistics_daily") }} as statistics
    inner join catalog on catalog.show_id = statistics.show_id
    where statistics.day >= {{ day(-55) }} and statistics.day <= {{ day(-28) }} and catalog.creator_key is not null
    group by catalog.creator_key
),

listened as (
    select
        catalog.creator_key,
        sessions.listener_key,
        sum(case when sessions.started_at >= {{ midnight(-27) }} then 1 else 0 end) as sessions,
        count(distinct case
            when sessions.started_at >= {{ midnight(-27) }} then {{ day_of("sessions.started_at") }}
        end) as days,
        sum(case when sessions.started_at < {{ midnight(-27) }} then 1 else 0 end) as sessions_before
    from {{ source("transformed", "sessions") }} as sessions
    inner join catalog on catalog.show_id = sessions.show_id
    where sessions.started_at >= {{ midnight(-55) }} and sessions.started_at < {{ midnight(1) }}
        and catalog.creator_key is not null
    group by catalog.creator_key, sessions.listener_key
),

listeners as (
    select
        creator_key,
        sum(sessions) as sessions,
        sum(case when sessions > 0 then 1 else 0 end) as listeners,
        sum(case when sessions_before > 0 then 1 else 0 end) as listeners_before,
        sum(case when sessions > 0 and sessions_before = 0 then 1 else 0 end) as listeners_new,
        sum(case when days > 1 then 1 else 0 end) as listeners_on_several_days
    from listened
    group by creator_key
),

followed as (
    select
        follow_target_key as creator_key,
        sum(case follow_action when 'follow' then 1 when 'unfollow' then -1 else 0 end) as creator_follows_gained
    from {{ source("transformed", "follow") }}
    where follow_target_kind = 'creator' and follow_target_key is not null
        and occurred_at >= {{ midnight(-27) }} and occurred_at < {{ midnight(1) }}
    group by follow_target_key
),

history as (
    select min(day) as first_day
    from {{ source("transformed", "show_statistics_daily") }}
    where day <= {{ day() }}
),

everyone as (
    select creator_key from owned
    union
    select creator_key from followed
)

select
    {{ day() }} as day,
    everyone.creator_key,
    coalesce(owned.shows, 0) as shows,
    coalesce(owned.shows_live, 0) as shows_live,
    coalesce(statistics.shows_heard, 0) as shows_heard,
    coalesce(statistics.days_heard, 0) as days_heard,
    coalesce(listeners.listeners, 0) as listeners,
    coalesce(listeners.listeners_new, 0) as listeners_new,
    case when history.first_day <= {{ day(-55) }} then coalesce(listeners.listeners_before, 0) end as listeners_before,
    {{ share("coalesce(listeners.listeners_on_several_days, 0)", "coalesce(listeners.listeners, 0)") }}
        as listeners_on_several_days_share,
    coalesce(listeners.sessions, 0) as sessions,
    coalesce(statistics.minutes_listened, 0) as minutes_listened,
    case
        when history.first_day <= {{ day(-55) }} then coalesce(statistics_before.minutes_listened_before, 0)
    end as minutes_listened_before,
    {{ quotient("coalesce(statistics.minutes_listened, 0)", "coalesce(listeners.listeners, 0)") }} as minutes_per_listener,
    coalesce(statistics.peak_concurrency_of_a_show, 0) as peak_concurrency_of_a_show,
    {%- for measure in of_shows %}
    coalesce(statistics.{{ measure }}, 0) as {{ measure }},
    {%- endfor %}
    coalesce(followed.creator_follows_gained, 0) as creator_follows_gained
from everyone
cross join history
left join owned on owned.creator_key = everyone.creator_key
left join statistics on statistics.creator_key = everyone.creator_key
left join statistics_before on statistics_before.creator_key = everyone.creator_key
left join listeners on listeners.creator_key = everyone.creator_key
left join followed on followed.creator_key = everyone.creator_key
