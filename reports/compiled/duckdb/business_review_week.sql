select
    cast(day as date) as day,
    cast(first_day as date) as first_day,
    cast(days as bigint) as days,
    cast(data_begin_on as date) as data_begin_on,
    cast(before_gap as varchar) as before_gap,
    cast(year_before_gap as varchar) as year_before_gap,
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
    cast(minutes_per_listener as double) as minutes_per_listener,
    cast(minutes_per_listener_before as double) as minutes_per_listener_before,
    cast(minutes_per_listener_year_before as double) as minutes_per_listener_year_before,
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
        'this' as period,
        listening.listeners,
        sign_ups.new_users,
        statistics.sessions,
        statistics.shows,
        statistics.minutes_listened,
        statistics.peak_concurrency_of_a_show,
        statistics.likes,
        statistics.calls,
        statistics.chat_messages,
        statistics.follows_gained,
        statistics.poll_votes
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
        'before' as period,
        listening.listeners,
        sign_ups.new_users,
        statistics.sessions,
        statistics.shows,
        statistics.minutes_listened,
        statistics.peak_concurrency_of_a_show,
        statistics.likes,
        statistics.calls,
        statistics.chat_messages,
        statistics.follows_gained,
        statistics.poll_votes
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
        'year_before' as period,
        listening.listeners,
        sign_ups.new_users,
        statistics.sessions,
        statistics.shows,
        statistics.minutes_listened,
        statistics.peak_concurrency_of_a_show,
        statistics.likes,
        statistics.calls,
        statistics.chat_messages,
        statistics.follows_gained,
        statistics.poll_votes
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
),
reviewed as (
    select
        max(case when period = 'this' then listeners end)
            as listeners,
        max(case when period = 'this' then new_users end)
            as new_users,
        max(case when period = 'this' then sessions end)
            as sessions,
        max(case when period = 'this' then shows end)
            as shows,
        max(case when period = 'this' then minutes_listened end)
            as minutes_listened,
        max(case when period = 'this' then peak_concurrency_of_a_show end)
            as peak_concurrency_of_a_show,
        max(case when period = 'this' then likes end)
            as likes,
        max(case when period = 'this' then calls end)
            as calls,
        max(case when period = 'this' then chat_messages end)
            as chat_messages,
        max(case when period = 'this' then follows_gained end)
            as follows_gained,
        max(case when period = 'this' then poll_votes end)
            as poll_votes,
        max(case when period = 'before' then listeners end)
            as listeners_before,
        max(case when period = 'before' then new_users end)
            as new_users_before,
        max(case when period = 'before' then sessions end)
            as sessions_before,
        max(case when period = 'before' then shows end)
            as shows_before,
        max(case when period = 'before' then minutes_listened end)
            as minutes_listened_before,
        max(case when period = 'before' then peak_concurrency_of_a_show end)
            as peak_concurrency_of_a_show_before,
        max(case when period = 'before' then likes end)
            as likes_before,
        max(case when period = 'before' then calls end)
            as calls_before,
        max(case when period = 'before' then chat_messages end)
            as chat_messages_before,
        max(case when period = 'before' then follows_gained end)
            as follows_gained_before,
        max(case when period = 'before' then poll_votes end)
            as poll_votes_before,
        max(case when period = 'year_before' then listeners end)
            as listeners_year_before,
        max(case when period = 'year_before' then new_users end)
            as new_users_year_before,
        max(case when period = 'year_before' then sessions end)
            as sessions_year_before,
        max(case when period = 'year_before' then shows end)
            as shows_year_before,
        max(case when period = 'year_before' then minutes_listened end)
            as minutes_listened_year_before,
        max(case when period = 'year_before' then peak_concurrency_of_a_show end)
            as peak_concurrency_of_a_show_year_before,
        max(case when period = 'year_before' then likes end)
            as likes_year_before,
        max(case when period = 'year_before' then calls end)
            as calls_year_before,
        max(case when period = 'year_before' then chat_messages end)
            as chat_messages_year_before,
        max(case when period = 'year_before' then follows_gained end)
            as follows_gained_year_before,
        max(case when period = 'year_before' then poll_votes end)
            as poll_votes_year_before
    from measured
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
    reviewed.listeners,
    case when known.data_begin_on <= (cast(date_trunc('week', cast('__DAY__' as date)) as date) - 7) then reviewed.listeners_before end
        as listeners_before,
    case when known.data_begin_on <= (cast(date_trunc('week', cast('__DAY__' as date)) as date) - 364) then reviewed.listeners_year_before end
        as listeners_year_before,
    reviewed.new_users,
    case when known.data_begin_on <= (cast(date_trunc('week', cast('__DAY__' as date)) as date) - 7) then reviewed.new_users_before end
        as new_users_before,
    case when known.data_begin_on <= (cast(date_trunc('week', cast('__DAY__' as date)) as date) - 364) then reviewed.new_users_year_before end
        as new_users_year_before,
    reviewed.sessions,
    case when known.data_begin_on <= (cast(date_trunc('week', cast('__DAY__' as date)) as date) - 7) then reviewed.sessions_before end
        as sessions_before,
    case when known.data_begin_on <= (cast(date_trunc('week', cast('__DAY__' as date)) as date) - 364) then reviewed.sessions_year_before end
        as sessions_year_before,
    reviewed.shows,
    case when known.data_begin_on <= (cast(date_trunc('week', cast('__DAY__' as date)) as date) - 7) then reviewed.shows_before end
        as shows_before,
    case when known.data_begin_on <= (cast(date_trunc('week', cast('__DAY__' as date)) as date) - 364) then reviewed.shows_year_before end
        as shows_year_before,
    reviewed.minutes_listened,
    case when known.data_begin_on <= (cast(date_trunc('week', cast('__DAY__' as date)) as date) - 7) then reviewed.minutes_listened_before end
        as minutes_listened_before,
    case when known.data_begin_on <= (cast(date_trunc('week', cast('__DAY__' as date)) as date) - 364) then reviewed.minutes_listened_year_before end
        as minutes_listened_year_before,
    reviewed.peak_concurrency_of_a_show,
    case when known.data_begin_on <= (cast(date_trunc('week', cast('__DAY__' as date)) as date) - 7) then reviewed.peak_concurrency_of_a_show_before end
        as peak_concurrency_of_a_show_before,
    case when known.data_begin_on <= (cast(date_trunc('week', cast('__DAY__' as date)) as date) - 364) then reviewed.peak_concurrency_of_a_show_year_before end
        as peak_concurrency_of_a_show_year_before,
    reviewed.likes,
    case when known.data_begin_on <= (cast(date_trunc('week', cast('__DAY__' as date)) as date) - 7) then reviewed.likes_before end
        as likes_before,
    case when known.data_begin_on <= (cast(date_trunc('week', cast('__DAY__' as date)) as date) - 364) then reviewed.likes_year_before end
        as likes_year_before,
    reviewed.calls,
    case when known.data_begin_on <= (cast(date_trunc('week', cast('__DAY__' as date)) as date) - 7) then reviewed.calls_before end
        as calls_before,
    case when known.data_begin_on <= (cast(date_trunc('week', cast('__DAY__' as date)) as date) - 364) then reviewed.calls_year_before end
        as calls_year_before,
    reviewed.chat_messages,
    case when known.data_begin_on <= (cast(date_trunc('week', cast('__DAY__' as date)) as date) - 7) then reviewed.chat_messages_before end
        as chat_messages_before,
    case when known.data_begin_on <= (cast(date_trunc('week', cast('__DAY__' as date)) as date) - 364) then reviewed.chat_messages_year_before end
        as chat_messages_year_before,
    reviewed.follows_gained,
    case when known.data_begin_on <= (cast(date_trunc('week', cast('__DAY__' as date)) as date) - 7) then reviewed.follows_gained_before end
        as follows_gained_before,
    case when known.data_begin_on <= (cast(date_trunc('week', cast('__DAY__' as date)) as date) - 364) then reviewed.follows_gained_year_before end
        as follows_gained_year_before,
    reviewed.poll_votes,
    case when known.data_begin_on <= (cast(date_trunc('week', cast('__DAY__' as date)) as date) - 7) then reviewed.poll_votes_before end
        as poll_votes_before,
    case when known.data_begin_on <= (cast(date_trunc('week', cast('__DAY__' as date)) as date) - 364) then reviewed.poll_votes_year_before end
        as poll_votes_year_before,
    cast(reviewed.minutes_listened as double precision) / nullif(cast(reviewed.listeners as double precision), 0) as minutes_per_listener,
    case
        when known.data_begin_on <= (cast(date_trunc('week', cast('__DAY__' as date)) as date) - 7)
            then cast(reviewed.minutes_listened_before as double precision) / nullif(cast(reviewed.listeners_before as double precision), 0)
    end as minutes_per_listener_before,
    case
        when known.data_begin_on <= (cast(date_trunc('week', cast('__DAY__' as date)) as date) - 364)
            then cast(reviewed.minutes_listened_year_before as double precision) / nullif(cast(reviewed.listeners_year_before as double precision), 0)
    end as minutes_per_listener_year_before
from reviewed
cross join known
) as result
