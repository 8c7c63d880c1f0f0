with ended as ({{ heard_intervals() }}),

pieces as ({{ heard_pieces() }}),

history as ({{ history() }}),

catalog as ({{ shows_of_the_day() }}),

heard as (
    select catalog.creator_key, count(distinct pieces.listener_key) as listeners
    from pieces
    inner join catalog on catalog.show_id = pieces.show_id
    group by catalog.creator_key
),

statistics as (
    select
        show_id,
        {{ days_between("day", day()) }} as days_ago,
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

total as (
    select sum(minutes_listened) as minutes_listened from statistics where days_ago = 0
),

measured as (
    select
        catalog.creator_key,
        {{ compared("minutes_listened") }},
        sum(case when days_ago = 0 and minutes_listened > 0 then 1 else 0 end) as shows,
        {%- for measure in ["sessions", "likes", "calls", "chat_messages", "follows_gained"] %}
        sum(case when days_ago = 0 then {{ measure }} end) as {{ measure }},
        {%- endfor %}
        max(case when days_ago = 0 then peak_concurrency end) as peak_concurrency_of_a_show
    from statistics
    inner join catalog on catalog.show_id = statistics.show_id
    cross join history
    where catalog.creator_key is not null
    group by catalog.creator_key
),

placed as (
    select
        measured.*,
        heard.listeners,
        row_number() over (
            order by measured.minutes_listened desc, coalesce(heard.listeners, 0) desc, measured.creator_key
        ) as place
    from measured
    left join heard on heard.creator_key = measured.creator_key
    where measured.minutes_listened > 0
)

select
    {{ day() }} as day,
    placed.*,
    {{ share("placed.minutes_listened", "total.minutes_listened") }} as minutes_listened_share
from placed
cross join total
where placed.place <= 20
