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
where occurred_at >= cast((cast('__DAY__' as date) - 27) as timestamp) and occurred_at < cast((cast('__DAY__' as date) + 1) as timestamp) and coalesce(user_key, device_key) is not null
union
select sessions.listener_key as listener, calendar.day
from "__TRANSFORMED__"."sessions" as sessions
inner join (
select cast('__DAY__' as date) as day, cast(cast('__DAY__' as date) as timestamp) as begins_at, cast((cast('__DAY__' as date) + 1) as timestamp) as ends_at
union all select (cast('__DAY__' as date) - 1) as day, cast((cast('__DAY__' as date) - 1) as timestamp) as begins_at, cast(cast('__DAY__' as date) as timestamp) as ends_at
union all select (cast('__DAY__' as date) - 2) as day, cast((cast('__DAY__' as date) - 2) as timestamp) as begins_at, cast((cast('__DAY__' as date) - 1) as timestamp) as ends_at
union all select (cast('__DAY__' as date) - 3) as day, cast((cast('__DAY__' as date) - 3) as timestamp) as begins_at, cast((cast('__DAY__' as date) - 2) as timestamp) as ends_at
union all select (cast('__DAY__' as date) - 4) as day, cast((cast('__DAY__' as date) - 4) as timestamp) as begins_at, cast((cast('__DAY__' as date) - 3) as timestamp) as ends_at
union all select (cast('__DAY__' as date) - 5) as day, cast((cast('__DAY__' as date) - 5) as timestamp) as begins_at, cast((cast('__DAY__' as date) - 4) as timestamp) as ends_at
union all select (cast('__DAY__' as date) - 6) as day, cast((cast('__DAY__' as date) - 6) as timestamp) as begins_at, cast((cast('__DAY__' as date) - 5) as timestamp) as ends_at
union all select (cast('__DAY__' as date) - 7) as day, cast((cast('__DAY__' as date) - 7) as timestamp) as begins_at, cast((cast('__DAY__' as date) - 6) as timestamp) as ends_at
union all select (cast('__DAY__' as date) - 8) as day, cast((cast('__DAY__' as date) - 8) as timestamp) as begins_at, cast((cast('__DAY__' as date) - 7) as timestamp) as ends_at
union all select (cast('__DAY__' as date) - 9) as day, cast((cast('__DAY__' as date) - 9) as timestamp) as begins_at, cast((cast('__DAY__' as date) - 8) as timestamp) as ends_at
union all select (cast('__DAY__' as date) - 10) as day, cast((cast('__DAY__' as date) - 10) as timestamp) as begins_at, cast((cast('__DAY__' as date) - 9) as timestamp) as ends_at
union all select (cast('__DAY__' as date) - 11) as day, cast((cast('__DAY__' as date) - 11) as timestamp) as begins_at, cast((cast('__DAY__' as date) - 10) as timestamp) as ends_at
union all select (cast('__DAY__' as date) - 12) as day, cast((cast('__DAY__' as date) - 12) as timestamp) as begins_at, cast((cast('__DAY__' as date) - 11) as timestamp) as ends_at
union all select (cast('__DAY__' as date) - 13) as day, cast((cast('__DAY__' as date) - 13) as timestamp) as begins_at, cast((cast('__DAY__' as date) - 12) as timestamp) as ends_at
union all select (cast('__DAY__' as date) - 14) as day, cast((cast('__DAY__' as date) - 14) as timestamp) as begins_at, cast((cast('__DAY__' as date) - 13) as timestamp) as ends_at
union all select (cast('__DAY__' as date) - 15) as day, cast((cast('__DAY__' as date) - 15) as timestamp) as begins_at, cast((cast('__DAY__' as date) - 14) as timestamp) as ends_at
union all select (cast('__DAY__' as date) - 16) as day, cast((cast('__DAY__' as date) - 16) as timestamp) as begins_at, cast((cast('__DAY__' as date) - 15) as timestamp) as ends_at
union all select (cast('__DAY__' as date) - 17) as day, cast((cast('__DAY__' as date) - 17) as timestamp) as begins_at, cast((cast('__DAY__' as date) - 16) as timestamp) as ends_at
union all select (cast('__DAY__' as date) - 18) as day, cast((cast('__DAY__' as date) - 18) as timestamp) as begins_at, cast((cast('__DAY__' as date) - 17) as timestamp) as ends_at
union all select (cast('__DAY__' as date) - 19) as day, cast((cast('__DAY__' as date) - 19) as timestamp) as begins_at, cast((cast('__DAY__' as date) - 18) as timestamp) as ends_at
union all select (cast('__DAY__' as date) - 20) as day, cast((cast('__DAY__' as date) - 20) as timestamp) as begins_at, cast((cast('__DAY__' as date) - 19) as timestamp) as ends_at
union all select (cast('__DAY__' as date) - 21) as day, cast((cast('__DAY__' as date) - 21) as timestamp) as begins_at, cast((cast('__DAY__' as date) - 20) as timestamp) as ends_at
union all select (cast('__DAY__' as date) - 22) as day, cast((cast('__DAY__' as date) - 22) as timestamp) as begins_at, cast((cast('__DAY__' as date) - 21) as timestamp) as ends_at
union all select (cast('__DAY__' as date) - 23) as day, cast((cast('__DAY__' as date) - 23) as timestamp) as begins_at, cast((cast('__DAY__' as date) - 22) as timestamp) as ends_at
union all select (cast('__DAY__' as date) - 24) as day, cast((cast('__DAY__' as date) - 24) as timestamp) as begins_at, cast((cast('__DAY__' as date) - 23) as timestamp) as ends_at
union all select (cast('__DAY__' as date) - 25) as day, cast((cast('__DAY__' as date) - 25) as timestamp) as begins_at, cast((cast('__DAY__' as date) - 24) as timestamp) as ends_at
union all select (cast('__DAY__' as date) - 26) as day, cast((cast('__DAY__' as date) - 26) as timestamp) as begins_at, cast((cast('__DAY__' as date) - 25) as timestamp) as ends_at
union all select (cast('__DAY__' as date) - 27) as day, cast((cast('__DAY__' as date) - 27) as timestamp) as begins_at, cast((cast('__DAY__' as date) - 26) as timestamp) as ends_at
) as calendar
    on sessions.started_at < calendar.ends_at and sessions.ended_at > calendar.begins_at
where
    sessions.started_at >= cast((cast('__DAY__' as date) - 34) as timestamp) and sessions.started_at < cast((cast('__DAY__' as date) + 1) as timestamp)
    and sessions.ended_at > cast((cast('__DAY__' as date) - 27) as timestamp)
    and sessions.listener_key is not null
),
present as (
    select
        count(distinct case when day = cast('__DAY__' as date) then listener end) as daily_active,
        count(distinct case when day >= (cast('__DAY__' as date) - 6) then listener end) as weekly_active,
        count(distinct listener) as monthly_active,
        count(distinct day) as days_with_activity
    from active
),
heard as (
    select count(distinct listener_key) as listeners
    from "__TRANSFORMED__"."sessions"
    where started_at >= cast((cast('__DAY__' as date) - 7) as timestamp) and started_at < cast((cast('__DAY__' as date) + 1) as timestamp) and ended_at > cast(cast('__DAY__' as date) as timestamp)
),
opened as (
    select count(*) as app_opens
    from "__TRANSFORMED__"."app_opened"
    where occurred_at >= cast(cast('__DAY__' as date) as timestamp) and occurred_at < cast((cast('__DAY__' as date) + 1) as timestamp)
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
    cast(present.daily_active as double precision) / nullif(cast(present.monthly_active as double precision), 0) as stickiness_share,
    present.days_with_activity,
    opened.app_opens,
    heard.listeners,
    cast(heard.listeners as double precision) / nullif(cast(present.daily_active as double precision), 0) as listening_share,
    listening.sessions,
    listening.minutes_listened,
    cast(listening.minutes_listened as double precision) / nullif(cast(heard.listeners as double precision), 0) as minutes_per_listener,
    cast(listening.sessions as double precision) / nullif(cast(heard.listeners as double precision), 0) as sessions_per_listener
from present
cross join heard
cross join opened
cross join listening
) as result
