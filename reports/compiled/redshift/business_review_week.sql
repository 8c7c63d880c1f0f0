select
    cast(day as date) as day,
    cast(first_day as date) as first_day,
    cast(days as bigint) as days,
    cast(data_begin_on as date) as data_begin_on,
    cast(before_gap as varchar(65535)) as before_gap,
    cast(year_before_gap as varchar(65535)) as year_before_gap,
    cast(listeners as bigint) as listeners,
    cast(listeners_before as bigint) as listeners_before,
    cast(listeners_year_before as bigint) as listeners_year_before,
    cast(new_users as bigint) as new_users,
    cast(new_users_before as bigint) as new_users_before,
    cast(new_users_year_before as bigint) as new_users_year_before,
    cast(sessions as bigint) as sessions,
    cast(sessions_before as bigint) as sessions_before,
    cast(sessions_year_before as bigint) as sessions_year_before,
    cast(shows as bigint) as shows,
    cast(shows_before as bigint) as shows_before,
    cast(shows_year_before as bigint) as shows_year_before,
    cast(minutes_listened as decimal(18,3)) as minutes_listened,
    cast(minutes_listened_before as decimal(18,3)) as minutes_listened_before,
    cast(minutes_listened_year_before as decimal(18,3)) as minutes_listened_year_before,
    cast(minutes_per_listener as double precision) as minutes_per_listener,
    cast(minutes_per_listener_before as double precision) as minutes_per_listener_before,
    cast(minutes_per_listener_year_before as double precision) as minutes_per_listener_year_before,
    cast(peak_concurrency_of_a_show as bigint) as peak_concurrency_of_a_show,
    cast(peak_concurrency_of_a_show_before as bigint) as peak_concurrency_of_a_show_before,
    cast(peak_concurrency_of_a_show_year_before as bigint) as peak_concurrency_of_a_show_year_before,
    cast(likes as bigint) as likes,
    cast(likes_before as bigint) as likes_before,
    cast(likes_year_before as bigint) as likes_year_before,
    cast(calls as bigint) as calls,
    cast(calls_before as bigint) as calls_before,
    cast(calls_year_before as bigint) as calls_year_before,
    cast(chat_messages as bigint) as chat_messages,
    cast(chat_messages_before as bigint) as chat_messages_before,
    cast(chat_messages_year_before as bigint) as chat_messages_year_before,
    cast(follows_gained as bigint) as follows_gained,
    cast(follows_gained_before as bigint) as follows_gained_before,
    cast(follows_gained_year_before as bigint) as follows_gained_year_before,
    cast(poll_votes as bigint) as poll_votes,
    cast(poll_votes_before as bigint) as poll_votes_before,
    cast(poll_votes_year_before as bigint) as poll_votes_year_before
from (
with measured as (
    select
        'this' as period, listening.listeners, sign_ups.new_users, statistics.*
    from (
        select
            count(distinct case when minutes_listened > 0 then show_id end) as shows,
            coalesce(sum(sessions), 0) as sessions,
            coalesce(sum(minutes_listened), 0) as minutes_listened,
            coalesce(max(peak_concurrency), 0) as peak_concurrency_of_a_show,
            coalesce(sum(likes), 0) as likes,
            coalesce(sum(calls), 0) as calls,
            coalesce(sum(chat_messages), 0) as chat_messages,
            coalesce(sum(follows_gained), 0) as follows_gained,
            coalesce(sum(poll_votes), 0) as poll_votes
        from "__TRANSFORMED__"."show_statistics_daily"
        where day >= cast(date_trunc('week', cast('__DAY__' as date)) as date) and day <= cast('__DAY__' as date)
    ) as statistics
    cross join (
        select count(distinct listener_key) as listeners
        from "__TRANSFORMED__"."sessions"
        where started_at >= cast((cast(date_trunc('week', cast('__DAY__' as date)) as date) - 7) as timestamp)
            and started_at < cast((cast('__DAY__' as date) + 1) as timestamp)
            and ended_at > cast(cast(date_trunc('week', cast('__DAY__' as date)) as date) as timestamp)
    ) as listening
    cross join (
        select count(distinct coalesce(user_key, device_key, event_id)) as new_users
        from "__TRANSFORMED__"."sign_up"
        where occurred_at >= cast(cast(date_trunc('week', cast('__DAY__' as date)) as date) as timestamp) and occurred_at < cast((cast('__DAY__' as date) + 1) as timestamp)
    ) as sign_ups
    union all
    select
        'before' as period, listening.listeners, sign_ups.new_users, statistics.*
    from (
        select
            count(distinct case when minutes_listened > 0 then show_id end) as shows,
            coalesce(sum(sessions), 0) as sessions,
            coalesce(sum(minutes_listened), 0) as minutes_listened,
            coalesce(max(peak_concurrency), 0) as peak_concurrency_of_a_show,
            coalesce(sum(likes), 0) as likes,
            coalesce(sum(calls), 0) as calls,
            coalesce(sum(chat_messages), 0) as chat_messages,
            coalesce(sum(follows_gained), 0) as follows_gained,
            coalesce(sum(poll_votes), 0) as poll_votes
        from "__TRANSFORMED__"."show_statistics_daily"
        where day >= (cast(date_trunc('week', cast('__DAY__' as date)) as date) - 7) and day <= (cast('__DAY__' as date) - 7)
    ) as statistics
    cross join (
        select count(distinct listener_key) as listeners
        from "__TRANSFORMED__"."sessions"
        where started_at >= cast(((cast(date_trunc('week', cast('__DAY__' as date)) as date) - 7) - 7) as timestamp)
            and started_at < cast(((cast('__DAY__' as date) - 7) + 1) as timestamp)
            and ended_at > cast((cast(date_trunc('week', cast('__DAY__' as date)) as date) - 7) as timestamp)
    ) as listening
    cross join (
        select count(distinct coalesce(user_key, device_key, event_id)) as new_users
        from "__TRANSFORMED__"."sign_up"
        where occurred_at >= cast((cast(date_trunc('week', cast('__DAY__' as date)) as date) - 7) as timestamp) and occurred_at < cast(((cast('__DAY__' as date) - 7) + 1) as timestamp)
    ) as sign_ups
    union all
    select
        'year_before' as period, listening.listeners, sign_ups.new_users, statistics.*
    from (
        select
            count(distinct case when minutes_listened > 0 then show_id end) as shows,
            coalesce(sum(sessions), 0) as sessions,
            coalesce(sum(minutes_listened), 0) as minutes_listened,
            coalesce(max(peak_concurrency), 0) as peak_concurrency_of_a_show,
            coalesce(sum(likes), 0) as likes,
            coalesce(sum(calls), 0) as calls,
            coalesce(sum(chat_messages), 0) as chat_messages,
            coalesce(sum(follows_gained), 0) as follows_gained,
            coalesce(sum(poll_votes), 0) as poll_votes
        from "__TRANSFORMED__"."show_statistics_daily"
        where day >= (cast(date_trunc('week', cast('__DAY__' as date)) as date) - 364) and day <= (cast('__DAY__' as date) - 364)
    ) as statistics
    cross join (
        select count(distinct listener_key) as listeners
        from "__TRANSFORMED__"."sessions"
        where started_at >= cast(((cast(date_trunc('week', cast('__DAY__' as date)) as date) - 364) - 7) as timestamp)
            and started_at < cast(((cast('__DAY__' as date) - 364) + 1) as timestamp)
            and ended_at > cast((cast(date_trunc('week', cast('__DAY__' as date)) as date) - 364) as timestamp)
    ) as listening
    cross join (
        select count(distinct coalesce(user_key, device_key, event_id)) as new_users
        from "__TRANSFORMED__"."sign_up"
        where occurred_at >= cast((cast(date_trunc('week', cast('__DAY__' as date)) as date) - 364) as timestamp) and occurred_at < cast(((cast('__DAY__' as date) - 364) + 1) as timestamp)
    ) as sign_ups
),
known as (
    select min(day) as data_begin_on
    from "__TRANSFORMED__"."show_statistics_daily"
    where day <= cast('__DAY__' as date)
)
select
    cast('__DAY__' as date) as day,
    cast(date_trunc('week', cast('__DAY__' as date)) as date) as first_day,
    (cast('__DAY__' as date) - cast(date_trunc('week', cast('__DAY__' as date)) as date)) + 1 as days,
    known.data_begin_on,
    case
        when known.data_begin_on is null then 'there are no data'
        when known.data_begin_on > (cast(date_trunc('week', cast('__DAY__' as date)) as date) - 7) then
            'data begin on ' || cast(known.data_begin_on as varchar(10)) || ', and this would begin on '
            || cast((cast(date_trunc('week', cast('__DAY__' as date)) as date) - 7) as varchar(10))
    end as before_gap,
    case
        when known.data_begin_on is null then 'there are no data'
        when known.data_begin_on > (cast(date_trunc('week', cast('__DAY__' as date)) as date) - 364) then
            'data begin on ' || cast(known.data_begin_on as varchar(10)) || ', and this would begin on '
            || cast((cast(date_trunc('week', cast('__DAY__' as date)) as date) - 364) as varchar(10))
    end as year_before_gap,
    this_period.listeners,
    period_before.listeners as listeners_before,
    period_year_before.listeners as listeners_year_before,
    this_period.new_users,
    period_before.new_users as new_users_before,
    period_year_before.new_users as new_users_year_before,
    this_period.sessions,
    period_before.sessions as sessions_before,
    period_year_before.sessions as sessions_year_before,
    this_period.shows,
    period_before.shows as shows_before,
    period_year_before.shows as shows_year_before,
    this_period.minutes_listened,
    period_before.minutes_listened as minutes_listened_before,
    period_year_before.minutes_listened as minutes_listened_year_before,
    this_period.peak_concurrency_of_a_show,
    period_before.peak_concurrency_of_a_show as peak_concurrency_of_a_show_before,
    period_year_before.peak_concurrency_of_a_show as peak_concurrency_of_a_show_year_before,
    this_period.likes,
    period_before.likes as likes_before,
    period_year_before.likes as likes_year_before,
    this_period.calls,
    period_before.calls as calls_before,
    period_year_before.calls as calls_year_before,
    this_period.chat_messages,
    period_before.chat_messages as chat_messages_before,
    period_year_before.chat_messages as chat_messages_year_before,
    this_period.follows_gained,
    period_before.follows_gained as follows_gained_before,
    period_year_before.follows_gained as follows_gained_year_before,
    this_period.poll_votes,
    period_before.poll_votes as poll_votes_before,
    period_year_before.poll_votes as poll_votes_year_before,
    cast(this_period.minutes_listened as double precision) / nullif(cast(this_period.listeners as double precision), 0) as minutes_per_listener,
    cast(period_before.minutes_listened as double precision) / nullif(cast(period_before.listeners as double precision), 0)
        as minutes_per_listener_before,
    cast(period_year_before.minutes_listened as double precision) / nullif(cast(period_year_before.listeners as double precision), 0)
        as minutes_per_listener_year_before
from measured as this_period
cross join known
left join measured as period_before
    on period_before.period = 'before' and known.data_begin_on <= (cast(date_trunc('week', cast('__DAY__' as date)) as date) - 7)
left join measured as period_year_before
    on period_year_before.period = 'year_before' and known.data_begin_on <= (cast(date_trunc('week', cast('__DAY__' as date)) as date) - 364)
where this_period.period = 'this'
) as result
