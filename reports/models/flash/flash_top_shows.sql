with history as ({{ history() }}),

statistics as (
    select
        show_id,
        {{ days_between("day", day()) }} as days_ago,
        listeners,
        sessions,
        minutes_listened,
        peak_concurrency,
        likes,
        calls,
        chat_messages,
        follows_gained
    from {{ source("transformed", "show_statistics_daily") }}
    where day >= {{ day(-28) }} and day <= {{ day() }}
),

ranked as (
    select
        show_id,
        days_ago,
        row_number() over (partition by days_ago order by minutes_listened desc, listeners desc, show_id) as place
    from statistics
    where minutes_listened > 0 and days_ago in (0, 1)
),

measured as (
    select
        statistics.show_id,
        {{ compared("minutes_listened") }},
        {%- for measure in ["listeners", "sessions", "peak_concurrency", "likes", "calls", "chat_messages", "follows_gained"] %}
        sum(case when days_ago = 0 then {{ measure }} end) as {{ measure }}{{ "," if not loop.last }}
        {%- endfor %}
    from statistics
    cross join history
    group by statistics.show_id
),

total as (
    select sum(minutes_listened) as minutes_listened from statistics where days_ago = 0
),

catalog as ({{ shows_of_the_day() }})

select
    {{ day() }} as day,
    today.place,
    yesterday.place as place_yesterday,
    measured.show_id,
    catalog.title,
    catalog.creator_key,
    measured.listeners,
    measured.sessions,
    measured.minutes_listened,
    {{ share("measured.minutes_listened", "total.minutes_listened") }} as minutes_listened_share,
    measured.minutes_listened_yesterday,
    measured.minutes_listened_week_before,
    measured.minutes_listened_mean_28_days,
    measured.peak_concurrency,
    measured.likes,
    measured.calls,
    measured.chat_messages,
    measured.follows_gained
from measured
cross join total
inner join ranked as today on today.show_id = measured.show_id and today.days_ago = 0 and today.place <= 20
left join ranked as yesterday on yesterday.show_id = measured.show_id and yesterday.days_ago = 1
left join catalog on catalog.show_id = measured.show_id
