select
    cast(day as date) as day,
    cast(daily_active as bigint) as daily_active,
    cast(weekly_active as bigint) as weekly_active,
    cast(monthly_active as bigint) as monthly_active,
    cast(stickiness_share as double) as stickiness_share,
    cast(days_with_activity as bigint) as days_with_activity,
    cast(app_opens as bigint) as app_opens,
    cast(listeners as bigint) as listeners,
    cast(listening_share as double) as listening_share,
    cast(sessions as bigint) as sessions,
    cast(minutes_listened as decimal(18,3)) as minutes_listened,
    cast(minutes_per_listener as double) as minutes_per_listener,
    cast(sessions_per_listener as double) as sessions_per_listener
from (
with active as (
select coalesce(user_key, device_key) as listener, cast(occurred_at as date) as day
from "__TRANSFORMED__"."app_opened"
where occurred_at >= cast(date_add('day', -27, cast('__DAY__' as date)) as timestamp) and occurred_at < cast(date_add('day', 1, cast('__DAY__' as date)) as timestamp) and coalesce(user_key, device_key) is not null
union
select sessions.listener_key as listener, calendar.day
from "__TRANSFORMED__"."sessions" as sessions
inner join (
select cast('__DAY__' as date) as day, cast(cast('__DAY__' as date) as timestamp) as begins_at, cast(date_add('day', 1, cast('__DAY__' as date)) as timestamp) as ends_at
union all select date_add('day', -1, cast('__DAY__' as date)) as day, cast(date_add('day', -1, cast('__DAY__' as date)) as timestamp) as begins_at, cast(cast('__DAY__' as date) as timestamp) as ends_at
union all select date_add('day', -2, cast('__DAY__' as date)) as day, cast(date_add('day', -2, cast('__DAY__' as date)) as timestamp) as begins_at, cast(date_add('day', -1, cast('__DAY__' as date)) as timestamp) as ends_at
union all select date_add('day', -3, cast('__DAY__' as date)) as day, cast(date_add('day', -3, cast('__DAY__' as date)) as timestamp) as begins_at, cast(date_add('day', -2, cast('__DAY__' as date)) as timestamp) as ends_at
union all select date_add('day', -4, cast('__DAY__' as date)) as day, cast(date_add('day', -4, cast('__DAY__' as date)) as timestamp) as begins_at, cast(date_add('day', -3, cast('__DAY__' as date)) as timestamp) as ends_at
union all select date_add('day', -5, cast('__DAY__' as date)) as day, cast(date_add('day', -5, cast('__DAY__' as date)) as timestamp) as begins_at, cast(date_add('day', -4, cast('__DAY__' as date)) as timestamp) as ends_at
union all select date_add('day', -6, cast('__DAY__' as date)) as day, cast(date_add('day', -6, cast('__DAY__' as date)) as timestamp) as begins_at, cast(date_add('day', -5, cast('__DAY__' as date)) as timestamp) as ends_at
union all select date_add('day', -7, cast('__DAY__' as date)) as day, cast(date_add('day', -7, cast('__DAY__' as date)) as timestamp) as begins_at, cast(date_add('day', -6, cast('__DAY__' as date)) as timestamp) as ends_at
union all select date_add('day', -8, cast('__DAY__' as date)) as day, cast(date_add('day', -8, cast('__DAY__' as date)) as timestamp) as begins_at, cast(date_add('day', -7, cast('__DAY__' as date)) as timestamp) as ends_at
union all select date_add('day', -9, cast('__DAY__' as date)) as day, cast(date_add('day', -9, cast('__DAY__' as date)) as timestamp) as begins_at, cast(date_add('day', -8, cast('__DAY__' as date)) as timestamp) as ends_at
union all select date_add('day', -10, cast('__DAY__' as date)) as day, cast(date_add('day', -10, cast('__DAY__' as date)) as timestamp) as begins_at, cast(date_add('day', -9, cast('__DAY__' as date)) as timestamp) as ends_at
union all select date_add('day', -11, cast('__DAY__' as date)) as day, cast(date_add('day', -11, cast('__DAY__' as date)) as timestamp) as begins_at, cast(date_add('day', -10, cast('__DAY__' as date)) as timestamp) as ends_at
union all select date_add('day', -12, cast('__DAY__' as date)) as day, cast(date_add('day', -12, cast('__DAY__' as date)) as timestamp) as begins_at, cast(date_add('day', -11, cast('__DAY__' as date)) as timestamp) as ends_at
union all select date_add('day', -13, cast('__DAY__' as date)) as day, cast(date_add('day', -13, cast('__DAY__' as date)) as timestamp) as begins_at, cast(date_add('day', -12, cast('__DAY__' as date)) as timestamp) as ends_at
union all select date_add('day', -14, cast('__DAY__' as date)) as day, cast(date_add('day', -14, cast('__DAY__' as date)) as timestamp) as begins_at, cast(date_add('day', -13, cast('__DAY__' as date)) as timestamp) as ends_at
union all select date_add('day', -15, cast('__DAY__' as date)) as day, cast(date_add('day', -15, cast('__DAY__' as date)) as timestamp) as begins_at, cast(date_add('day', -14, cast('__DAY__' as date)) as timestamp) as ends_at
union all select date_add('day', -16, cast('__DAY__' as date)) as day, cast(date_add('day', -16, cast('__DAY__' as date)) as timestamp) as begins_at, cast(date_add('day', -15, cast('__DAY__' as date)) as timestamp) as ends_at
union all select date_add('day', -17, cast('__DAY__' as date)) as day, cast(date_add('day', -17, cast('__DAY__' as date)) as timestamp) as begins_at, cast(date_add('day', -16, cast('__DAY__' as date)) as timestamp) as ends_at
union all select date_add('day', -18, cast('__DAY__' as date)) as day, cast(date_add('day', -18, cast('__DAY__' as date)) as timestamp) as begins_at, cast(date_add('day', -17, cast('__DAY__' as date)) as timestamp) as ends_at
union all select date_add('day', -19, cast('__DAY__' as date)) as day, cast(date_add('day', -19, cast('__DAY__' as date)) as timestamp) as begins_at, cast(date_add('day', -18, cast('__DAY__' as date)) as timestamp) as ends_at
union all select date_add('day', -20, cast('__DAY__' as date)) as day, cast(date_add('day', -20, cast('__DAY__' as date)) as timestamp) as begins_at, cast(date_add('day', -19, cast('__DAY__' as date)) as timestamp) as ends_at
union all select date_add('day', -21, cast('__DAY__' as date)) as day, cast(date_add('day', -21, cast('__DAY__' as date)) as timestamp) as begins_at, cast(date_add('day', -20, cast('__DAY__' as date)) as timestamp) as ends_at
union all select date_add('day', -22, cast('__DAY__' as date)) as day, cast(date_add('day', -22, cast('__DAY__' as date)) as timestamp) as begins_at, cast(date_add('day', -21, cast('__DAY__' as date)) as timestamp) as ends_at
union all select date_add('day', -23, cast('__DAY__' as date)) as day, cast(date_add('day', -23, cast('__DAY__' as date)) as timestamp) as begins_at, cast(date_add('day', -22, cast('__DAY__' as date)) as timestamp) as ends_at
union all select date_add('day', -24, cast('__DAY__' as date)) as day, cast(date_add('day', -24, cast('__DAY__' as date)) as timestamp) as begins_at, cast(date_add('day', -23, cast('__DAY__' as date)) as timestamp) as ends_at
union all select date_add('day', -25, cast('__DAY__' as date)) as day, cast(date_add('day', -25, cast('__DAY__' as date)) as timestamp) as begins_at, cast(date_add('day', -24, cast('__DAY__' as date)) as timestamp) as ends_at
union all select date_add('day', -26, cast('__DAY__' as date)) as day, cast(date_add('day', -26, cast('__DAY__' as date)) as timestamp) as begins_at, cast(date_add('day', -25, cast('__DAY__' as date)) as timestamp) as ends_at
union all select date_add('day', -27, cast('__DAY__' as date)) as day, cast(date_add('day', -27, cast('__DAY__' as date)) as timestamp) as begins_at, cast(date_add('day', -26, cast('__DAY__' as date)) as timestamp) as ends_at
) as calendar
    on sessions.started_at < calendar.ends_at and sessions.ended_at > calendar.begins_at
where
    sessions.started_at >= cast(date_add('day', -34, cast('__DAY__' as date)) as timestamp) and sessions.started_at < cast(date_add('day', 1, cast('__DAY__' as date)) as timestamp)
    and sessions.ended_at > cast(date_add('day', -27, cast('__DAY__' as date)) as timestamp)
    and sessions.listener_key is not null
),
present as (
    select
        count(distinct case when day = cast('__DAY__' as date) then listener end) as daily_active,
        count(distinct case when day >= date_add('day', -6, cast('__DAY__' as date)) then listener end) as weekly_active,
        count(distinct listener) as monthly_active,
        count(distinct day) as days_with_activity
    from active
),
heard as (
    select count(distinct listener_key) as listeners
    from "__TRANSFORMED__"."sessions"
    where started_at >= cast(date_add('day', -7, cast('__DAY__' as date)) as timestamp) and started_at < cast(date_add('day', 1, cast('__DAY__' as date)) as timestamp) and ended_at > cast(cast('__DAY__' as date) as timestamp)
),
opened as (
    select count(*) as app_opens
    from "__TRANSFORMED__"."app_opened"
    where occurred_at >= cast(cast('__DAY__' as date) as timestamp) and occurred_at < cast(date_add('day', 1, cast('__DAY__' as date)) as timestamp)
),
listening as (
    select
        coalesce(sum(sessions), 0) as sessions,
        coalesce(sum(minutes_listened), 0) as minutes_listened
    from "__TRANSFORMED__"."show_statistics_daily"
    where day = cast('__DAY__' as date)
)
select
    cast('__DAY__' as date) as day,
    present.daily_active,
    present.weekly_active,
    present.monthly_active,
    cast(present.daily_active as double) / nullif(cast(present.monthly_active as double), 0) as stickiness_share,
    present.days_with_activity,
    opened.app_opens,
    heard.listeners,
    cast(heard.listeners as double) / nullif(cast(present.daily_active as double), 0) as listening_share,
    listening.sessions,
    listening.minutes_listened,
    cast(listening.minutes_listened as double) / nullif(cast(heard.listeners as double), 0) as minutes_per_listener,
    cast(listening.sessions as double) / nullif(cast(heard.listeners as double), 0) as sessions_per_listener
from present
cross join heard
cross join opened
cross join listening
) as result
