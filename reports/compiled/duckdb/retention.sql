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
    where occurred_at < cast((cast('__DAY__' as date) + 1) as timestamp)
    union all
    select listener_key as listener, started_at as seen_at
    from "__TRANSFORMED__"."sessions"
    where started_at < cast((cast('__DAY__' as date) + 1) as timestamp)
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
where occurred_at >= cast((cast('__DAY__' as date) - 28) as timestamp) and occurred_at < cast((cast('__DAY__' as date) + 1) as timestamp) and coalesce(user_key, device_key) is not null
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
union all select (cast('__DAY__' as date) - 28) as day, cast((cast('__DAY__' as date) - 28) as timestamp) as begins_at, cast((cast('__DAY__' as date) - 27) as timestamp) as ends_at
) as calendar
    on sessions.started_at < calendar.ends_at and sessions.ended_at > calendar.begins_at
where
    sessions.started_at >= cast((cast('__DAY__' as date) - 35) as timestamp) and sessions.started_at < cast((cast('__DAY__' as date) + 1) as timestamp)
    and sessions.ended_at > cast((cast('__DAY__' as date) - 28) as timestamp)
    and sessions.listener_key is not null
),
came_back as (
    select
        first_days.cohort_day,
        first_days.listener,
        max(case when (active.day - first_days.cohort_day) = 1 then 1 else 0 end) as day_1,
        max(case when (active.day - first_days.cohort_day) = 7 then 1 else 0 end) as day_7,
        max(case when (active.day - first_days.cohort_day) = 28 then 1 else 0 end) as day_28
    from first_days
    inner join active on first_days.listener = active.listener
    where first_days.cohort_day >= (cast('__DAY__' as date) - 28)
    group by first_days.cohort_day, first_days.listener
),
cohorts as (
    select
        cohort_day,
        count(*) as new_listeners,
        case when (cast('__DAY__' as date) - cohort_day) >= 1 then sum(day_1) end as returned_day_1,
        case when (cast('__DAY__' as date) - cohort_day) >= 7 then sum(day_7) end as returned_day_7,
        case when (cast('__DAY__' as date) - cohort_day) >= 28 then sum(day_28) end as returned_day_28
    from came_back
    group by cohort_day
)
select
    cast('__DAY__' as date) as day,
    cohorts.cohort_day,
    (cohorts.cohort_day - bounds.first_day_of_data) as days_of_data_before,
    cohorts.new_listeners,
    cohorts.returned_day_1,
    cast(cohorts.returned_day_1 as double precision) / nullif(cast(cohorts.new_listeners as double precision), 0) as day_1_share,
    cohorts.returned_day_7,
    cast(cohorts.returned_day_7 as double precision) / nullif(cast(cohorts.new_listeners as double precision), 0) as day_7_share,
    cohorts.returned_day_28,
    cast(cohorts.returned_day_28 as double precision) / nullif(cast(cohorts.new_listeners as double precision), 0) as day_28_share
from cohorts
cross join bounds
) as result
