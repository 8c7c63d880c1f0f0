select
    cast(day as date) as day,
    cast(as_of as timestamp) as as_of,
    cast(rank as integer) as rank,
    cast(show_id as varchar(65535)) as show_id,
    cast(is_trending as boolean) as is_trending,
    cast(trending_score as double precision) as trending_score,
    cast(lift as double precision) as lift,
    cast(activity as double precision) as activity,
    cast(expected_activity as double precision) as expected_activity,
    cast(usual_weeks as bigint) as usual_weeks,
    cast(listeners as bigint) as listeners,
    cast(minutes_listened as decimal(18,3)) as minutes_listened,
    cast(activity_of_all as double precision) as activity_of_all
from (
with deeds as (
    select * from (
select
    show_id, coalesce(user_key, device_key) as listener, occurred_at,
    case when playback_listened_ms > 43200000 then 43200000 else playback_listened_ms end as heard_ms,
    0 as taps, 0 as calls, 0 as messages, 0 as follows
from "__TRANSFORMED__"."playback_metric" as playback
where playback_listened_ms > 0
union all
select
    show_id, coalesce(user_key, device_key), occurred_at, 0,
    case when like_count is null then 1 when like_count < 0 then 0 else like_count end, 0, 0, 0
from "__TRANSFORMED__"."like" as likes
union all
select show_id, coalesce(user_key, device_key), occurred_at, 0, 0, 1, 0, 0
from "__TRANSFORMED__"."call_in" as calls
where call_state = 'requested'
union all
select show_id, coalesce(user_key, device_key), occurred_at, 0, 0, 0, 1, 0
from "__TRANSFORMED__"."chat_message" as messages
union all
select follow_target_id, coalesce(user_key, device_key), occurred_at, 0, 0, 0, 0, 1
from "__TRANSFORMED__"."follow" as follows
where follow_target_kind = 'show' and follow_action = 'follow'
) as settled
where
(
    occurred_at >= dateadd('hour', -29, cast((cast('__DAY__' as date) + 1) as timestamp))
    and occurred_at < dateadd('hour', 0, cast((cast('__DAY__' as date) + 1) as timestamp))
    or occurred_at >= dateadd('hour', -197, cast((cast('__DAY__' as date) + 1) as timestamp))
    and occurred_at < dateadd('hour', -168, cast((cast('__DAY__' as date) + 1) as timestamp))
    or occurred_at >= dateadd('hour', -365, cast((cast('__DAY__' as date) + 1) as timestamp))
    and occurred_at < dateadd('hour', -336, cast((cast('__DAY__' as date) + 1) as timestamp))
    or occurred_at >= dateadd('hour', -533, cast((cast('__DAY__' as date) + 1) as timestamp))
    and occurred_at < dateadd('hour', -504, cast((cast('__DAY__' as date) + 1) as timestamp))
    or occurred_at >= dateadd('hour', -701, cast((cast('__DAY__' as date) + 1) as timestamp))
    and occurred_at < dateadd('hour', -672, cast((cast('__DAY__' as date) + 1) as timestamp))
)
),
hourly as (
    select
        show_id,
        listener,
        cast(
            floor(cast(cast(datediff('millisecond', cast('1970-01-01' as timestamp), cast(cast((cast('__DAY__' as date) + 1) as timestamp) as timestamp)) as bigint) - cast(datediff('millisecond', cast('1970-01-01' as timestamp), cast(occurred_at as timestamp)) as bigint) - 1 as double precision) / 3600000)
            as integer
        ) as hours_ago,
        sum(heard_ms) as heard_ms,
        sum(taps) as taps,
        sum(calls) as calls,
        sum(messages) as messages,
        sum(follows) as follows
    from deeds
    where show_id is not null and occurred_at < cast((cast('__DAY__' as date) + 1) as timestamp)
    group by 1, 2, 3
),
worth as (
    select
        show_id,
        listener,
        hours_ago,
        heard_ms,
        cast(heard_ms as double precision) / 60000 * 1.0
        + case when taps > 20 then 20 else taps end * 0.2
        + case when calls > 2 then 2 else calls end * 2.0
        + case when messages > 10 then 10 else messages end
        * 0.5
        + case when follows > 1 then 1 else follows end * 5.0 as points
    from hourly
),
ages as (
    select 0 as age, cast(1.0 as double precision) as weight
    union all select 1 as age, cast(0.6299605249474366 as double precision) as weight
    union all select 2 as age, cast(0.3968502629920499 as double precision) as weight
    union all select 3 as age, cast(0.25 as double precision) as weight
    union all select 4 as age, cast(0.15749013123685915 as double precision) as weight
    union all select 5 as age, cast(0.09921256574801246 as double precision) as weight
),
placed as (
    select
        worth.show_id,
        worth.listener,
        worth.heard_ms,
        worth.points * ages.weight as points,
        worth.hours_ago - ages.age as hours_ago,
        cast(floor((worth.hours_ago - ages.age) / cast(168 as double precision)) as integer) as weeks_ago
    from worth
    cross join ages
    where worth.hours_ago >= ages.age
),
by_listener as (
    select
        show_id,
        listener,
        weeks_ago,
        hours_ago - 168 * weeks_ago as moments_ago,
        sum(cast(floor(points * 1000000 + 0.5) as bigint)) as millionths,
        sum(heard_ms) as heard_ms
    from placed
    where hours_ago - 168 * weeks_ago < 24 and weeks_ago <= 4
    group by 1, 2, 3, 4
),
capped as (
    select
        *,
        case
            when listener is null then 0
            when millionths > 60000000 then 60000000
            else millionths
        end as worth_millionths,
        case when listener is not null and heard_ms >= 60000 then 1 else 0 end as listens
    from by_listener
),
by_show as (
    select
        show_id,
        weeks_ago,
        moments_ago,
        sum(worth_millionths) as millionths_of_all,
        sum(worth_millionths * listens) as millionths,
        sum(listens) as listeners,
        sum(heard_ms) as heard_ms
    from capped
    group by 1, 2, 3
),
all_shows as (
    select
        moments_ago,
        sum(case when weeks_ago = 0 then millionths else 0 end) as millionths,
        sum(case when weeks_ago > 0 then millionths else 0 end) as usual_millionths,
        count(distinct case when weeks_ago > 0 and millionths > 0 then weeks_ago end) as usual_weeks
    from by_show
    group by 1
),
usual as (
    select moments_ago, show_id, sum(millionths) as millionths
    from by_show
    where weeks_ago > 0
    group by 1, 2
),
expected as (
    select
        by_show.moments_ago,
        by_show.show_id,
        (cast(by_show.millionths as double precision) / 1000000) as activity,
        (cast(by_show.millionths_of_all as double precision) / 1000000) as activity_of_all,
        by_show.listeners,
        by_show.heard_ms,
        all_shows.usual_weeks,
        cast(coalesce(usual.millionths, 0) as double precision) / nullif(cast(all_shows.usual_millionths as double precision), 0) * (cast(all_shows.millionths as double precision) / 1000000)
            as expected_activity
    from by_show
    inner join all_shows on by_show.moments_ago = all_shows.moments_ago
    left join usual on by_show.moments_ago = usual.moments_ago and by_show.show_id = usual.show_id
    where by_show.weeks_ago = 0
),
compared as (
    select
        *,
        (activity + 120) / (expected_activity + 120) as lift,
        (activity - expected_activity) / sqrt(expected_activity + 120) as trending_score
    from expected
),
judged as (
    select
        *,
        case
            when listeners >= 20 and lift >= 2.0 then 1 else 0
        end as trends
    from compared
),
ranked as (
    select
        *,
        row_number() over (
            partition by moments_ago
            order by trends desc, coalesce(trending_score, -1000000000) desc, activity desc, show_id
        ) as place
    from judged
)
select
    cast('__DAY__' as date) as day,
    dateadd('hour', -moments_ago, cast((cast('__DAY__' as date) + 1) as timestamp)) as as_of,
    place as rank,
    show_id,
    trends = 1 as is_trending,
    trending_score,
    lift,
    activity,
    expected_activity,
    usual_weeks,
    listeners,
    cast(cast((coalesce(heard_ms, 0) + 30 - mod(coalesce(heard_ms, 0) + 30, 60)) / 60 as double precision) / 1000 as decimal(18, 3)) as minutes_listened,
    activity_of_all
from ranked
where place <= 100
) as result
