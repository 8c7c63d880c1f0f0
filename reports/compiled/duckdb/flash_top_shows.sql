select
    cast(day as date) as day,
    cast(place as bigint) as place,
    cast(place_yesterday as bigint) as place_yesterday,
    cast(show_id as varchar) as show_id,
    cast(title as varchar) as title,
    cast(creator_key as varchar) as creator_key,
    cast(listeners as bigint) as listeners,
    cast(sessions as bigint) as sessions,
    cast(minutes_listened as decimal(18,3)) as minutes_listened,
    cast(minutes_listened_yesterday as decimal(18,3)) as minutes_listened_yesterday,
    cast(minutes_listened_week_before as decimal(18,3)) as minutes_listened_week_before,
    cast(minutes_listened_mean_28_days as double) as minutes_listened_mean_28_days,
    cast(minutes_listened_share as double) as minutes_listened_share,
    cast(peak_concurrency as bigint) as peak_concurrency,
    cast(likes as bigint) as likes,
    cast(calls as bigint) as calls,
    cast(chat_messages as bigint) as chat_messages,
    cast(follows_gained as bigint) as follows_gained
from (
with history as (
    select least(28, coalesce((cast('__DAY__' as date) - min(day)), 0)) as days_compared
    from "__TRANSFORMED__"."show_statistics_daily"
    where day <= cast('__DAY__' as date)
),
statistics as (
    select
        show_id,
        (cast('__DAY__' as date) - day) as days_ago,
        listeners,
        sessions,
        minutes_listened,
        peak_concurrency,
        likes,
        calls,
        chat_messages,
        follows_gained
    from "__TRANSFORMED__"."show_statistics_daily"
    where day >= (cast('__DAY__' as date) - 28) and day <= cast('__DAY__' as date)
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
    coalesce(sum(case when days_ago = 0 then minutes_listened end), 0) as minutes_listened,
    case when max(days_compared) >= 1 then coalesce(sum(case when days_ago = 1 then minutes_listened end), 0) end
        as minutes_listened_yesterday,
    case when max(days_compared) >= 7 then coalesce(sum(case when days_ago = 7 then minutes_listened end), 0) end
        as minutes_listened_week_before,
    case when max(days_compared) >= 1 then
        cast(coalesce(sum(case when days_ago between 1 and 28 then minutes_listened end), 0) as double precision) / max(days_compared)
    end as minutes_listened_mean_28_days
,
        sum(case when days_ago = 0 then listeners end) as listeners,
        sum(case when days_ago = 0 then sessions end) as sessions,
        sum(case when days_ago = 0 then peak_concurrency end) as peak_concurrency,
        sum(case when days_ago = 0 then likes end) as likes,
        sum(case when days_ago = 0 then calls end) as calls,
        sum(case when days_ago = 0 then chat_messages end) as chat_messages,
        sum(case when days_ago = 0 then follows_gained end) as follows_gained
    from statistics
    cross join history
    group by statistics.show_id
),
total as (
    select sum(minutes_listened) as minutes_listened from statistics where days_ago = 0
),
catalog as (
    select
        show_id,
        show_title as title,
        show_status as status,
        show_creator_key as creator_key,
        show_language as language,
        show_topics[1] as topic
    from "__TRANSFORMED__"."show_history"
    where valid_from < cast((cast('__DAY__' as date) + 1) as timestamp) and (valid_to is null or valid_to >= cast((cast('__DAY__' as date) + 1) as timestamp))
)
select
    cast('__DAY__' as date) as day,
    today.place,
    yesterday.place as place_yesterday,
    measured.show_id,
    catalog.title,
    catalog.creator_key,
    measured.listeners,
    measured.sessions,
    measured.minutes_listened,
    cast(measured.minutes_listened as double precision) / nullif(cast(total.minutes_listened as double precision), 0) as minutes_listened_share,
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
) as result
