select
    cast(day as date) as day,
    cast(place as bigint) as place,
    cast(creator_key as varchar) as creator_key,
    cast(shows as bigint) as shows,
    cast(listeners as bigint) as listeners,
    cast(sessions as bigint) as sessions,
    cast(minutes_listened as decimal(18,3)) as minutes_listened,
    cast(minutes_listened_yesterday as decimal(18,3)) as minutes_listened_yesterday,
    cast(minutes_listened_week_before as decimal(18,3)) as minutes_listened_week_before,
    cast(minutes_listened_mean_28_days as double) as minutes_listened_mean_28_days,
    cast(minutes_listened_share as double) as minutes_listened_share,
    cast(peak_concurrency_of_a_show as bigint) as peak_concurrency_of_a_show,
    cast(likes as bigint) as likes,
    cast(calls as bigint) as calls,
    cast(chat_messages as bigint) as chat_messages,
    cast(follows_gained as bigint) as follows_gained
from (
with ended as (
    select listener_key, show_id, from_ms, until_ms, until_ms - 1 - mod(until_ms - 1, 86400000) as day_ms
    from (
        select
            coalesce(user_key, device_key) as listener_key,
            show_id,
            date_diff('millisecond', timestamp '1970-01-01 00:00:00', cast(occurred_at as timestamp(3))) - least(playback_listened_ms, 43200000) as from_ms,
            date_diff('millisecond', timestamp '1970-01-01 00:00:00', cast(occurred_at as timestamp(3))) as until_ms
        from "__TRANSFORMED__"."playback_metric"
        where playback_listened_ms > 0 and show_id is not null
            and occurred_at > cast(cast('__DAY__' as date) as timestamp) and occurred_at < cast(date_add('day', 2, cast('__DAY__' as date)) as timestamp)
    ) as intervals
),
pieces as (
    select listener_key, show_id, cast((date_diff('millisecond', timestamp '1970-01-01 00:00:00', cast(cast(cast('__DAY__' as date) as timestamp) as timestamp(3))) - day_ms) / 86400000 as integer) as days_ago, from_ms, until_ms
    from (
        select listener_key, show_id, day_ms, greatest(from_ms, day_ms) as from_ms, until_ms from ended
        union all
        select listener_key, show_id, day_ms - 86400000 as day_ms, from_ms, day_ms as until_ms from ended where from_ms < day_ms
    ) as cut
    where day_ms >= date_diff('millisecond', timestamp '1970-01-01 00:00:00', cast(cast(cast('__DAY__' as date) as timestamp) as timestamp(3))) and day_ms <= date_diff('millisecond', timestamp '1970-01-01 00:00:00', cast(cast(cast('__DAY__' as date) as timestamp) as timestamp(3)))
),
history as (
    select least(28, coalesce(date_diff('day', min(day), cast('__DAY__' as date)), 0)) as days_compared
    from "__TRANSFORMED__"."show_statistics_daily"
    where day <= cast('__DAY__' as date)
),
catalog as (
    select
        show_id,
        show_title as title,
        show_status as status,
        show_creator_key as creator_key,
        show_language as language,
        element_at(show_topics, 1) as topic
    from "__TRANSFORMED__"."show_history"
    where valid_from < cast(date_add('day', 1, cast('__DAY__' as date)) as timestamp) and (valid_to is null or valid_to >= cast(date_add('day', 1, cast('__DAY__' as date)) as timestamp))
),
heard as (
    select catalog.creator_key, count(distinct pieces.listener_key) as listeners
    from pieces
    inner join catalog on catalog.show_id = pieces.show_id
    group by catalog.creator_key
),
statistics as (
    select
        show_id,
        date_diff('day', day, cast('__DAY__' as date)) as days_ago,
        sessions,
        minutes_listened,
        peak_concurrency,
        likes,
        calls,
        chat_messages,
        follows_gained
    from "__TRANSFORMED__"."show_statistics_daily"
    where day >= date_add('day', -28, cast('__DAY__' as date)) and day <= cast('__DAY__' as date)
),
total as (
    select sum(minutes_listened) as minutes_listened from statistics where days_ago = 0
),
measured as (
    select
        catalog.creator_key,
    coalesce(sum(case when days_ago = 0 then minutes_listened end), 0) as minutes_listened,
    case when max(days_compared) >= 1 then coalesce(sum(case when days_ago = 1 then minutes_listened end), 0) end
        as minutes_listened_yesterday,
    case when max(days_compared) >= 7 then coalesce(sum(case when days_ago = 7 then minutes_listened end), 0) end
        as minutes_listened_week_before,
    case when max(days_compared) >= 1 then
        cast(coalesce(sum(case when days_ago between 1 and 28 then minutes_listened end), 0) as double) / max(days_compared)
    end as minutes_listened_mean_28_days
,
        sum(case when days_ago = 0 and minutes_listened > 0 then 1 else 0 end) as shows,
        sum(case when days_ago = 0 then sessions end) as sessions,
        sum(case when days_ago = 0 then likes end) as likes,
        sum(case when days_ago = 0 then calls end) as calls,
        sum(case when days_ago = 0 then chat_messages end) as chat_messages,
        sum(case when days_ago = 0 then follows_gained end) as follows_gained,
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
    cast('__DAY__' as date) as day,
    placed.*,
    cast(placed.minutes_listened as double) / nullif(cast(total.minutes_listened as double), 0) as minutes_listened_share
from placed
cross join total
where placed.place <= 20
) as result
