select
    cast(day as date) as day,
    cast(events as bigint) as events,
    cast(days_compared as bigint) as days_compared,
    cast(listeners as bigint) as listeners,
    cast(listeners_yesterday as bigint) as listeners_yesterday,
    cast(listeners_week_before as bigint) as listeners_week_before,
    cast(listeners_mean_28_days as double) as listeners_mean_28_days,
    cast(new_users as bigint) as new_users,
    cast(new_users_yesterday as bigint) as new_users_yesterday,
    cast(new_users_week_before as bigint) as new_users_week_before,
    cast(new_users_mean_28_days as double) as new_users_mean_28_days,
    cast(sessions as bigint) as sessions,
    cast(sessions_yesterday as bigint) as sessions_yesterday,
    cast(sessions_week_before as bigint) as sessions_week_before,
    cast(sessions_mean_28_days as double) as sessions_mean_28_days,
    cast(shows as bigint) as shows,
    cast(shows_yesterday as bigint) as shows_yesterday,
    cast(shows_week_before as bigint) as shows_week_before,
    cast(shows_mean_28_days as double) as shows_mean_28_days,
    cast(minutes_listened as decimal(18,3)) as minutes_listened,
    cast(minutes_listened_yesterday as decimal(18,3)) as minutes_listened_yesterday,
    cast(minutes_listened_week_before as decimal(18,3)) as minutes_listened_week_before,
    cast(minutes_listened_mean_28_days as double) as minutes_listened_mean_28_days,
    cast(peak_concurrency as bigint) as peak_concurrency,
    cast(peak_concurrency_yesterday as bigint) as peak_concurrency_yesterday,
    cast(peak_concurrency_week_before as bigint) as peak_concurrency_week_before,
    cast(peak_concurrency_mean_28_days as double) as peak_concurrency_mean_28_days,
    cast(peak_concurrency_of_a_show as bigint) as peak_concurrency_of_a_show,
    cast(peak_concurrency_of_a_show_yesterday as bigint) as peak_concurrency_of_a_show_yesterday,
    cast(peak_concurrency_of_a_show_week_before as bigint) as peak_concurrency_of_a_show_week_before,
    cast(peak_concurrency_of_a_show_mean_28_days as double) as peak_concurrency_of_a_show_mean_28_days,
    cast(likes as bigint) as likes,
    cast(likes_yesterday as bigint) as likes_yesterday,
    cast(likes_week_before as bigint) as likes_week_before,
    cast(likes_mean_28_days as double) as likes_mean_28_days,
    cast(calls as bigint) as calls,
    cast(calls_yesterday as bigint) as calls_yesterday,
    cast(calls_week_before as bigint) as calls_week_before,
    cast(calls_mean_28_days as double) as calls_mean_28_days,
    cast(chat_messages as bigint) as chat_messages,
    cast(chat_messages_yesterday as bigint) as chat_messages_yesterday,
    cast(chat_messages_week_before as bigint) as chat_messages_week_before,
    cast(chat_messages_mean_28_days as double) as chat_messages_mean_28_days,
    cast(follows_gained as bigint) as follows_gained,
    cast(follows_gained_yesterday as bigint) as follows_gained_yesterday,
    cast(follows_gained_week_before as bigint) as follows_gained_week_before,
    cast(follows_gained_mean_28_days as double) as follows_gained_mean_28_days,
    cast(poll_votes as bigint) as poll_votes,
    cast(poll_votes_yesterday as bigint) as poll_votes_yesterday,
    cast(poll_votes_week_before as bigint) as poll_votes_week_before,
    cast(poll_votes_mean_28_days as double) as poll_votes_mean_28_days
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
            and occurred_at > cast(date_add('day', -28, cast('__DAY__' as date)) as timestamp) and occurred_at < cast(date_add('day', 2, cast('__DAY__' as date)) as timestamp)
    ) as intervals
),
pieces as (
    select listener_key, show_id, cast((date_diff('millisecond', timestamp '1970-01-01 00:00:00', cast(cast(cast('__DAY__' as date) as timestamp) as timestamp(3))) - day_ms) / 86400000 as integer) as days_ago, from_ms, until_ms
    from (
        select listener_key, show_id, day_ms, greatest(from_ms, day_ms) as from_ms, until_ms from ended
        union all
        select listener_key, show_id, day_ms - 86400000 as day_ms, from_ms, day_ms as until_ms from ended where from_ms < day_ms
    ) as cut
    where day_ms >= date_diff('millisecond', timestamp '1970-01-01 00:00:00', cast(cast(date_add('day', -28, cast('__DAY__' as date)) as timestamp) as timestamp(3))) and day_ms <= date_diff('millisecond', timestamp '1970-01-01 00:00:00', cast(cast(cast('__DAY__' as date) as timestamp) as timestamp(3)))
),
stretches as (
    select
        days_ago, listener_key, from_ms, until_ms,
        sum(begins) over (
            partition by days_ago, listener_key order by from_ms, until_ms rows between unbounded preceding and current row
        ) as number
    from (
        select
            days_ago, listener_key, from_ms, until_ms,
            case
                when from_ms <= max(until_ms) over (
                    partition by days_ago, listener_key
                    order by from_ms, until_ms rows between unbounded preceding and 1 preceding
                ) then 0
                else 1
            end as begins
        from pieces
        where listener_key is not null
    ) as begun
),
concurrency as (
    select days_ago, max(listening) as peak_concurrency
    from (
        select
            days_ago,
            sum(step) over (partition by days_ago order by at_ms rows between unbounded preceding and current row) as listening
        from (
            select days_ago, at_ms, sum(step) as step
            from (
                select days_ago, min(from_ms) as at_ms, 1 as step from stretches group by days_ago, listener_key, number
                union all
                select days_ago, max(until_ms) as at_ms, -1 as step from stretches group by days_ago, listener_key, number
            ) as edges
            group by days_ago, at_ms
        ) as steps
    ) as swept
    group by days_ago
),
listening as (
    select days_ago, count(distinct listener_key) as listeners
    from pieces
    group by days_ago
),
sign_ups as (
    select
        date_diff('day', cast(occurred_at as date), cast('__DAY__' as date)) as days_ago,
        count(distinct coalesce(user_key, device_key, event_id)) as new_users
    from "__TRANSFORMED__"."sign_up"
    where occurred_at >= cast(date_add('day', -28, cast('__DAY__' as date)) as timestamp) and occurred_at < cast(date_add('day', 1, cast('__DAY__' as date)) as timestamp)
    group by cast(occurred_at as date)
),
statistics as (
    select
        date_diff('day', day, cast('__DAY__' as date)) as days_ago,
        sum(sessions) as sessions,
        sum(case when minutes_listened > 0 then 1 else 0 end) as shows,
        sum(minutes_listened) as minutes_listened,
        max(peak_concurrency) as peak_concurrency_of_a_show,
        sum(likes) as likes,
        sum(calls) as calls,
        sum(chat_messages) as chat_messages,
        sum(follows_gained) as follows_gained,
        sum(poll_votes) as poll_votes
    from "__TRANSFORMED__"."show_statistics_daily"
    where day >= date_add('day', -28, cast('__DAY__' as date)) and day <= cast('__DAY__' as date)
    group by day
),
history as (
    select least(28, coalesce(date_diff('day', min(day), cast('__DAY__' as date)), 0)) as days_compared
    from "__TRANSFORMED__"."show_statistics_daily"
    where day <= cast('__DAY__' as date)
),
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
        statistics.sessions,
        statistics.shows,
        statistics.minutes_listened,
        statistics.peak_concurrency_of_a_show,
        statistics.likes,
        statistics.calls,
        statistics.chat_messages,
        statistics.follows_gained,
        statistics.poll_votes
    from days
    cross join history
    left join listening on listening.days_ago = days.days_ago
    left join sign_ups on sign_ups.days_ago = days.days_ago
    left join concurrency on concurrency.days_ago = days.days_ago
    left join statistics on statistics.days_ago = days.days_ago
),
counted as (
    select coalesce(sum(events), 0) as events
    from "__REPORTS__"."flash_events"
    where day = cast('__DAY__' as date)
)
select
    cast('__DAY__' as date) as day,
    max(counted.events) as events,
    max(days_compared) as days_compared,
    coalesce(sum(case when days_ago = 0 then listeners end), 0) as listeners,
    case when max(days_compared) >= 1 then coalesce(sum(case when days_ago = 1 then listeners end), 0) end
        as listeners_yesterday,
    case when max(days_compared) >= 7 then coalesce(sum(case when days_ago = 7 then listeners end), 0) end
        as listeners_week_before,
    case when max(days_compared) >= 1 then
        cast(coalesce(sum(case when days_ago between 1 and 28 then listeners end), 0) as double) / max(days_compared)
    end as listeners_mean_28_days
,
    coalesce(sum(case when days_ago = 0 then new_users end), 0) as new_users,
    case when max(days_compared) >= 1 then coalesce(sum(case when days_ago = 1 then new_users end), 0) end
        as new_users_yesterday,
    case when max(days_compared) >= 7 then coalesce(sum(case when days_ago = 7 then new_users end), 0) end
        as new_users_week_before,
    case when max(days_compared) >= 1 then
        cast(coalesce(sum(case when days_ago between 1 and 28 then new_users end), 0) as double) / max(days_compared)
    end as new_users_mean_28_days
,
    coalesce(sum(case when days_ago = 0 then sessions end), 0) as sessions,
    case when max(days_compared) >= 1 then coalesce(sum(case when days_ago = 1 then sessions end), 0) end
        as sessions_yesterday,
    case when max(days_compared) >= 7 then coalesce(sum(case when days_ago = 7 then sessions end), 0) end
        as sessions_week_before,
    case when max(days_compared) >= 1 then
        cast(coalesce(sum(case when days_ago between 1 and 28 then sessions end), 0) as double) / max(days_compared)
    end as sessions_mean_28_days
,
    coalesce(sum(case when days_ago = 0 then shows end), 0) as shows,
    case when max(days_compared) >= 1 then coalesce(sum(case when days_ago = 1 then shows end), 0) end
        as shows_yesterday,
    case when max(days_compared) >= 7 then coalesce(sum(case when days_ago = 7 then shows end), 0) end
        as shows_week_before,
    case when max(days_compared) >= 1 then
        cast(coalesce(sum(case when days_ago between 1 and 28 then shows end), 0) as double) / max(days_compared)
    end as shows_mean_28_days
,
    coalesce(sum(case when days_ago = 0 then minutes_listened end), 0) as minutes_listened,
    case when max(days_compared) >= 1 then coalesce(sum(case when days_ago = 1 then minutes_listened end), 0) end
        as minutes_listened_yesterday,
    case when max(days_compared) >= 7 then coalesce(sum(case when days_ago = 7 then minutes_listened end), 0) end
        as minutes_listened_week_before,
    case when max(days_compared) >= 1 then
        cast(coalesce(sum(case when days_ago between 1 and 28 then minutes_listened end), 0) as double) / max(days_compared)
    end as minutes_listened_mean_28_days
,
    coalesce(sum(case when days_ago = 0 then peak_concurrency end), 0) as peak_concurrency,
    case when max(days_compared) >= 1 then coalesce(sum(case when days_ago = 1 then peak_concurrency end), 0) end
        as peak_concurrency_yesterday,
    case when max(days_compared) >= 7 then coalesce(sum(case when days_ago = 7 then peak_concurrency end), 0) end
        as peak_concurrency_week_before,
    case when max(days_compared) >= 1 then
        cast(coalesce(sum(case when days_ago between 1 and 28 then peak_concurrency end), 0) as double) / max(days_compared)
    end as peak_concurrency_mean_28_days
,
    coalesce(sum(case when days_ago = 0 then peak_concurrency_of_a_show end), 0) as peak_concurrency_of_a_show,
    case when max(days_compared) >= 1 then coalesce(sum(case when days_ago = 1 then peak_concurrency_of_a_show end), 0) end
        as peak_concurrency_of_a_show_yesterday,
    case when max(days_compared) >= 7 then coalesce(sum(case when days_ago = 7 then peak_concurrency_of_a_show end), 0) end
        as peak_concurrency_of_a_show_week_before,
    case when max(days_compared) >= 1 then
        cast(coalesce(sum(case when days_ago between 1 and 28 then peak_concurrency_of_a_show end), 0) as double) / max(days_compared)
    end as peak_concurrency_of_a_show_mean_28_days
,
    coalesce(sum(case when days_ago = 0 then likes end), 0) as likes,
    case when max(days_compared) >= 1 then coalesce(sum(case when days_ago = 1 then likes end), 0) end
        as likes_yesterday,
    case when max(days_compared) >= 7 then coalesce(sum(case when days_ago = 7 then likes end), 0) end
        as likes_week_before,
    case when max(days_compared) >= 1 then
        cast(coalesce(sum(case when days_ago between 1 and 28 then likes end), 0) as double) / max(days_compared)
    end as likes_mean_28_days
,
    coalesce(sum(case when days_ago = 0 then calls end), 0) as calls,
    case when max(days_compared) >= 1 then coalesce(sum(case when days_ago = 1 then calls end), 0) end
        as calls_yesterday,
    case when max(days_compared) >= 7 then coalesce(sum(case when days_ago = 7 then calls end), 0) end
        as calls_week_before,
    case when max(days_compared) >= 1 then
        cast(coalesce(sum(case when days_ago between 1 and 28 then calls end), 0) as double) / max(days_compared)
    end as calls_mean_28_days
,
    coalesce(sum(case when days_ago = 0 then chat_messages end), 0) as chat_messages,
    case when max(days_compared) >= 1 then coalesce(sum(case when days_ago = 1 then chat_messages end), 0) end
        as chat_messages_yesterday,
    case when max(days_compared) >= 7 then coalesce(sum(case when days_ago = 7 then chat_messages end), 0) end
        as chat_messages_week_before,
    case when max(days_compared) >= 1 then
        cast(coalesce(sum(case when days_ago between 1 and 28 then chat_messages end), 0) as double) / max(days_compared)
    end as chat_messages_mean_28_days
,
    coalesce(sum(case when days_ago = 0 then follows_gained end), 0) as follows_gained,
    case when max(days_compared) >= 1 then coalesce(sum(case when days_ago = 1 then follows_gained end), 0) end
        as follows_gained_yesterday,
    case when max(days_compared) >= 7 then coalesce(sum(case when days_ago = 7 then follows_gained end), 0) end
        as follows_gained_week_before,
    case when max(days_compared) >= 1 then
        cast(coalesce(sum(case when days_ago between 1 and 28 then follows_gained end), 0) as double) / max(days_compared)
    end as follows_gained_mean_28_days
,
    coalesce(sum(case when days_ago = 0 then poll_votes end), 0) as poll_votes,
    case when max(days_compared) >= 1 then coalesce(sum(case when days_ago = 1 then poll_votes end), 0) end
        as poll_votes_yesterday,
    case when max(days_compared) >= 7 then coalesce(sum(case when days_ago = 7 then poll_votes end), 0) end
        as poll_votes_week_before,
    case when max(days_compared) >= 1 then
        cast(coalesce(sum(case when days_ago between 1 and 28 then poll_votes end), 0) as double) / max(days_compared)
    end as poll_votes_mean_28_days
from measured
cross join counted
) as result
