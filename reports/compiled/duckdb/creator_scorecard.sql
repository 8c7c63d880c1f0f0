select
    cast(day as date) as day,
    cast(creator_key as varchar) as creator_key,
    cast(shows as bigint) as shows,
    cast(shows_live as bigint) as shows_live,
    cast(shows_heard as bigint) as shows_heard,
    cast(days_heard as bigint) as days_heard,
    cast(listeners as bigint) as listeners,
    cast(listeners_new as bigint) as listeners_new,
    cast(listeners_before as bigint) as listeners_before,
    cast(listeners_on_several_days_share as double) as listeners_on_several_days_share,
    cast(sessions as bigint) as sessions,
    cast(minutes_listened as decimal(18,3)) as minutes_listened,
    cast(minutes_listened_before as decimal(18,3)) as minutes_listened_before,
    cast(minutes_per_listener as double) as minutes_per_listener,
    cast(peak_concurrency_of_a_show as bigint) as peak_concurrency_of_a_show,
    cast(likes as bigint) as likes,
    cast(calls as bigint) as calls,
    cast(chat_messages as bigint) as chat_messages,
    cast(poll_votes as bigint) as poll_votes,
    cast(follows_gained as bigint) as follows_gained,
    cast(creator_follows_gained as bigint) as creator_follows_gained
from (
with catalog as (
    select
        show_id,
        show_title as title,
        show_status as status,
        show_creator_key as creator_key,
        show_language as language,
        show_topics[1] as topic
    from "__TRANSFORMED__"."show_history"
    where valid_from < cast((cast('__DAY__' as date) + 1) as timestamp) and (valid_to is null or valid_to >= cast((cast('__DAY__' as date) + 1) as timestamp))
),
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
        sum(likes) as likes,
        sum(calls) as calls,
        sum(chat_messages) as chat_messages,
        sum(poll_votes) as poll_votes,
        sum(follows_gained) as follows_gained
    from "__TRANSFORMED__"."show_statistics_daily" as statistics
    inner join catalog on catalog.show_id = statistics.show_id
    where statistics.day >= (cast('__DAY__' as date) - 27) and statistics.day <= cast('__DAY__' as date) and catalog.creator_key is not null
    group by catalog.creator_key
),
statistics_before as (
    select catalog.creator_key, sum(minutes_listened) as minutes_listened_before
    from "__TRANSFORMED__"."show_statistics_daily" as statistics
    inner join catalog on catalog.show_id = statistics.show_id
    where statistics.day >= (cast('__DAY__' as date) - 55) and statistics.day <= (cast('__DAY__' as date) - 28) and catalog.creator_key is not null
    group by catalog.creator_key
),
listened as (
    select
        catalog.creator_key,
        sessions.listener_key,
        sum(case when sessions.started_at >= cast((cast('__DAY__' as date) - 27) as timestamp) then 1 else 0 end) as sessions,
        count(distinct case
            when sessions.started_at >= cast((cast('__DAY__' as date) - 27) as timestamp) then cast(sessions.started_at as date)
        end) as days,
        sum(case when sessions.started_at < cast((cast('__DAY__' as date) - 27) as timestamp) then 1 else 0 end) as sessions_before
    from "__TRANSFORMED__"."sessions" as sessions
    inner join catalog on catalog.show_id = sessions.show_id
    where sessions.started_at >= cast((cast('__DAY__' as date) - 55) as timestamp) and sessions.started_at < cast((cast('__DAY__' as date) + 1) as timestamp)
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
    from "__TRANSFORMED__"."follow"
    where follow_target_kind = 'creator' and follow_target_key is not null
        and occurred_at >= cast((cast('__DAY__' as date) - 27) as timestamp) and occurred_at < cast((cast('__DAY__' as date) + 1) as timestamp)
    group by follow_target_key
),
history as (
    select min(day) as first_day
    from "__TRANSFORMED__"."show_statistics_daily"
    where day <= cast('__DAY__' as date)
),
everyone as (
    select creator_key from owned
    union
    select creator_key from followed
)
select
    cast('__DAY__' as date) as day,
    everyone.creator_key,
    coalesce(owned.shows, 0) as shows,
    coalesce(owned.shows_live, 0) as shows_live,
    coalesce(statistics.shows_heard, 0) as shows_heard,
    coalesce(statistics.days_heard, 0) as days_heard,
    coalesce(listeners.listeners, 0) as listeners,
    coalesce(listeners.listeners_new, 0) as listeners_new,
    case when history.first_day <= (cast('__DAY__' as date) - 55) then coalesce(listeners.listeners_before, 0) end as listeners_before,
    cast(coalesce(listeners.listeners_on_several_days, 0) as double precision) / nullif(cast(coalesce(listeners.listeners, 0) as double precision), 0)
        as listeners_on_several_days_share,
    coalesce(listeners.sessions, 0) as sessions,
    coalesce(statistics.minutes_listened, 0) as minutes_listened,
    case
        when history.first_day <= (cast('__DAY__' as date) - 55) then coalesce(statistics_before.minutes_listened_before, 0)
    end as minutes_listened_before,
    cast(coalesce(statistics.minutes_listened, 0) as double precision) / nullif(cast(coalesce(listeners.listeners, 0) as double precision), 0) as minutes_per_listener,
    coalesce(statistics.peak_concurrency_of_a_show, 0) as peak_concurrency_of_a_show,
    coalesce(statistics.likes, 0) as likes,
    coalesce(statistics.calls, 0) as calls,
    coalesce(statistics.chat_messages, 0) as chat_messages,
    coalesce(statistics.poll_votes, 0) as poll_votes,
    coalesce(statistics.follows_gained, 0) as follows_gained,
    coalesce(followed.creator_follows_gained, 0) as creator_follows_gained
from everyone
cross join history
left join owned on owned.creator_key = everyone.creator_key
left join statistics on statistics.creator_key = everyone.creator_key
left join statistics_before on statistics_before.creator_key = everyone.creator_key
left join listeners on listeners.creator_key = everyone.creator_key
left join followed on followed.creator_key = everyone.creator_key
) as result
