select
    cast(day as date) as day,
    cast(cohort_day as date) as cohort_day,
    cast(days_of_data_before as bigint) as days_of_data_before,
    cast(new_listeners as bigint) as new_listeners,
    cast(returned_day_1 as bigint) as returned_day_1,
    cast(day_1_share as double) as day_1_share,
    cast(returned_day_7 as bigint) as returned_day_7,
    cast(day_7_share as double) as day_7_share,
    cast(returned_day_28 as bigint) as returned_day_28,
    cast(day_28_share as double) as day_28_share
from (
with seen as (
    select coalesce(user_key, device_key) as listener, occurred_at as seen_at
    from "__TRANSFORMED__"."app_opened"
    where occurred_at < cast(date_add('day', 1, cast('__DAY__' as date)) as timestamp)
    union all
    select listener_key as listener, started_at as seen_at
    from "__TRANSFORMED__"."sessions"
    where started_at < cast(date_add('day', 1, cast('__DAY__' as date)) as timestamp)
),
first_days as (
    select listener, cast(min(seen_at) as date) as cohort_day
    from seen
    where listener is not null
    group by listener
),
bounds as (
    select min(cohort_day) as first_day_of_data from first_days
),
active as (
select coalesce(user_key, device_key) as listener, cast(occurred_at as date) as day
from "__TRANSFORMED__"."app_opened"
where occurred_at >= cast(date_add('day', -28, cast('__DAY__' as date)) as timestamp) and occurred_at < cast(date_add('day', 1, cast('__DAY__' as date)) as timestamp) and coalesce(user_key, device_key) is not null
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
union all select date_add('day', -28, cast('__DAY__' as date)) as day, cast(date_add('day', -28, cast('__DAY__' as date)) as timestamp) as begins_at, cast(date_add('day', -27, cast('__DAY__' as date)) as timestamp) as ends_at
) as calendar
    on sessions.started_at < calendar.ends_at and sessions.ended_at > calendar.begins_at
where
    sessions.started_at >= cast(date_add('day', -35, cast('__DAY__' as date)) as timestamp) and sessions.started_at < cast(date_add('day', 1, cast('__DAY__' as date)) as timestamp)
    and sessions.ended_at > cast(date_add('day', -28, cast('__DAY__' as date)) as timestamp)
    and sessions.listener_key is not null
),
came_back as (
    select
        first_days.cohort_day,
        first_days.listener,
        max(case when date_diff('day', first_days.cohort_day, active.day) = 1 then 1 else 0 end) as day_1,
        max(case when date_diff('day', first_days.cohort_day, active.day) = 7 then 1 else 0 end) as day_7,
        max(case when date_diff('day', first_days.cohort_day, active.day) = 28 then 1 else 0 end) as day_28
    from first_days
    inner join active on first_days.listener = active.listener
    where first_days.cohort_day >= date_add('day', -28, cast('__DAY__' as date))
    group by first_days.cohort_day, first_days.listener
),
cohorts as (
    select
        cohort_day,
        count(*) as new_listeners,
        case when date_diff('day', cohort_day, cast('__DAY__' as date)) >= 1 then sum(day_1) end as returned_day_1,
        case when date_diff('day', cohort_day, cast('__DAY__' as date)) >= 7 then sum(day_7) end as returned_day_7,
        case when date_diff('day', cohort_day, cast('__DAY__' as date)) >= 28 then sum(day_28) end as returned_day_28
    from came_back
    group by cohort_day
)
select
    cast('__DAY__' as date) as day,
    cohorts.cohort_day,
    date_diff('day', bounds.first_day_of_data, cohorts.cohort_day) as days_of_data_before,
    cohorts.new_listeners,
    cohorts.returned_day_1,
    cast(cohorts.returned_day_1 as double) / nullif(cast(cohorts.new_listeners as double), 0) as day_1_share,
    cohorts.returned_day_7,
    cast(cohorts.returned_day_7 as double) / nullif(cast(cohorts.new_listeners as double), 0) as day_7_share,
    cohorts.returned_day_28,
    cast(cohorts.returned_day_28 as double) / nullif(cast(cohorts.new_listeners as double), 0) as day_28_share
from cohorts
cross join bounds
) as result
