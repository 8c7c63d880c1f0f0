select
    cast(day as date) as day,
    cast(event_type as varchar) as event_type,
    cast(events as bigint) as events,
    cast(events_late as bigint) as events_late
from (
select
    cast('__DAY__' as date) as day,
    'show_catalog_entry' as event_type,
    count(*) as events,
    coalesce(sum(case when date_diff('millisecond', timestamp '1970-01-01 00:00:00', cast(arrived_at as timestamp(3))) - date_diff('millisecond', timestamp '1970-01-01 00:00:00', cast(occurred_at as timestamp(3))) > 3600000 then 1 else 0 end), 0)
        as events_late
from "__TRANSFORMED__"."show_catalog_entry"
where occurred_at >= cast(cast('__DAY__' as date) as timestamp) and occurred_at < cast(date_add('day', 1, cast('__DAY__' as date)) as timestamp)
union all
select
    cast('__DAY__' as date) as day,
    'sign_up' as event_type,
    count(*) as events,
    coalesce(sum(case when date_diff('millisecond', timestamp '1970-01-01 00:00:00', cast(arrived_at as timestamp(3))) - date_diff('millisecond', timestamp '1970-01-01 00:00:00', cast(occurred_at as timestamp(3))) > 3600000 then 1 else 0 end), 0)
        as events_late
from "__TRANSFORMED__"."sign_up"
where occurred_at >= cast(cast('__DAY__' as date) as timestamp) and occurred_at < cast(date_add('day', 1, cast('__DAY__' as date)) as timestamp)
union all
select
    cast('__DAY__' as date) as day,
    'app_opened' as event_type,
    count(*) as events,
    coalesce(sum(case when date_diff('millisecond', timestamp '1970-01-01 00:00:00', cast(arrived_at as timestamp(3))) - date_diff('millisecond', timestamp '1970-01-01 00:00:00', cast(occurred_at as timestamp(3))) > 3600000 then 1 else 0 end), 0)
        as events_late
from "__TRANSFORMED__"."app_opened"
where occurred_at >= cast(cast('__DAY__' as date) as timestamp) and occurred_at < cast(date_add('day', 1, cast('__DAY__' as date)) as timestamp)
union all
select
    cast('__DAY__' as date) as day,
    'app_closed' as event_type,
    count(*) as events,
    coalesce(sum(case when date_diff('millisecond', timestamp '1970-01-01 00:00:00', cast(arrived_at as timestamp(3))) - date_diff('millisecond', timestamp '1970-01-01 00:00:00', cast(occurred_at as timestamp(3))) > 3600000 then 1 else 0 end), 0)
        as events_late
from "__TRANSFORMED__"."app_closed"
where occurred_at >= cast(cast('__DAY__' as date) as timestamp) and occurred_at < cast(date_add('day', 1, cast('__DAY__' as date)) as timestamp)
union all
select
    cast('__DAY__' as date) as day,
    'show_impression' as event_type,
    count(*) as events,
    coalesce(sum(case when date_diff('millisecond', timestamp '1970-01-01 00:00:00', cast(arrived_at as timestamp(3))) - date_diff('millisecond', timestamp '1970-01-01 00:00:00', cast(occurred_at as timestamp(3))) > 3600000 then 1 else 0 end), 0)
        as events_late
from "__TRANSFORMED__"."show_impression"
where occurred_at >= cast(cast('__DAY__' as date) as timestamp) and occurred_at < cast(date_add('day', 1, cast('__DAY__' as date)) as timestamp)
union all
select
    cast('__DAY__' as date) as day,
    'promotion_exposure' as event_type,
    count(*) as events,
    coalesce(sum(case when date_diff('millisecond', timestamp '1970-01-01 00:00:00', cast(arrived_at as timestamp(3))) - date_diff('millisecond', timestamp '1970-01-01 00:00:00', cast(occurred_at as timestamp(3))) > 3600000 then 1 else 0 end), 0)
        as events_late
from "__TRANSFORMED__"."promotion_exposure"
where occurred_at >= cast(cast('__DAY__' as date) as timestamp) and occurred_at < cast(date_add('day', 1, cast('__DAY__' as date)) as timestamp)
union all
select
    cast('__DAY__' as date) as day,
    'experiment_exposure' as event_type,
    count(*) as events,
    coalesce(sum(case when date_diff('millisecond', timestamp '1970-01-01 00:00:00', cast(arrived_at as timestamp(3))) - date_diff('millisecond', timestamp '1970-01-01 00:00:00', cast(occurred_at as timestamp(3))) > 3600000 then 1 else 0 end), 0)
        as events_late
from "__TRANSFORMED__"."experiment_exposure"
where occurred_at >= cast(cast('__DAY__' as date) as timestamp) and occurred_at < cast(date_add('day', 1, cast('__DAY__' as date)) as timestamp)
union all
select
    cast('__DAY__' as date) as day,
    'notification_delivered' as event_type,
    count(*) as events,
    coalesce(sum(case when date_diff('millisecond', timestamp '1970-01-01 00:00:00', cast(arrived_at as timestamp(3))) - date_diff('millisecond', timestamp '1970-01-01 00:00:00', cast(occurred_at as timestamp(3))) > 3600000 then 1 else 0 end), 0)
        as events_late
from "__TRANSFORMED__"."notification_delivered"
where occurred_at >= cast(cast('__DAY__' as date) as timestamp) and occurred_at < cast(date_add('day', 1, cast('__DAY__' as date)) as timestamp)
union all
select
    cast('__DAY__' as date) as day,
    'notification_opened' as event_type,
    count(*) as events,
    coalesce(sum(case when date_diff('millisecond', timestamp '1970-01-01 00:00:00', cast(arrived_at as timestamp(3))) - date_diff('millisecond', timestamp '1970-01-01 00:00:00', cast(occurred_at as timestamp(3))) > 3600000 then 1 else 0 end), 0)
        as events_late
from "__TRANSFORMED__"."notification_opened"
where occurred_at >= cast(cast('__DAY__' as date) as timestamp) and occurred_at < cast(date_add('day', 1, cast('__DAY__' as date)) as timestamp)
union all
select
    cast('__DAY__' as date) as day,
    'follow' as event_type,
    count(*) as events,
    coalesce(sum(case when date_diff('millisecond', timestamp '1970-01-01 00:00:00', cast(arrived_at as timestamp(3))) - date_diff('millisecond', timestamp '1970-01-01 00:00:00', cast(occurred_at as timestamp(3))) > 3600000 then 1 else 0 end), 0)
        as events_late
from "__TRANSFORMED__"."follow"
where occurred_at >= cast(cast('__DAY__' as date) as timestamp) and occurred_at < cast(date_add('day', 1, cast('__DAY__' as date)) as timestamp)
union all
select
    cast('__DAY__' as date) as day,
    'activity_update' as event_type,
    count(*) as events,
    coalesce(sum(case when date_diff('millisecond', timestamp '1970-01-01 00:00:00', cast(arrived_at as timestamp(3))) - date_diff('millisecond', timestamp '1970-01-01 00:00:00', cast(occurred_at as timestamp(3))) > 3600000 then 1 else 0 end), 0)
        as events_late
from "__TRANSFORMED__"."activity_update"
where occurred_at >= cast(cast('__DAY__' as date) as timestamp) and occurred_at < cast(date_add('day', 1, cast('__DAY__' as date)) as timestamp)
union all
select
    cast('__DAY__' as date) as day,
    'call_in' as event_type,
    count(*) as events,
    coalesce(sum(case when date_diff('millisecond', timestamp '1970-01-01 00:00:00', cast(arrived_at as timestamp(3))) - date_diff('millisecond', timestamp '1970-01-01 00:00:00', cast(occurred_at as timestamp(3))) > 3600000 then 1 else 0 end), 0)
        as events_late
from "__TRANSFORMED__"."call_in"
where occurred_at >= cast(cast('__DAY__' as date) as timestamp) and occurred_at < cast(date_add('day', 1, cast('__DAY__' as date)) as timestamp)
union all
select
    cast('__DAY__' as date) as day,
    'co_host' as event_type,
    count(*) as events,
    coalesce(sum(case when date_diff('millisecond', timestamp '1970-01-01 00:00:00', cast(arrived_at as timestamp(3))) - date_diff('millisecond', timestamp '1970-01-01 00:00:00', cast(occurred_at as timestamp(3))) > 3600000 then 1 else 0 end), 0)
        as events_late
from "__TRANSFORMED__"."co_host"
where occurred_at >= cast(cast('__DAY__' as date) as timestamp) and occurred_at < cast(date_add('day', 1, cast('__DAY__' as date)) as timestamp)
union all
select
    cast('__DAY__' as date) as day,
    'poll_vote' as event_type,
    count(*) as events,
    coalesce(sum(case when date_diff('millisecond', timestamp '1970-01-01 00:00:00', cast(arrived_at as timestamp(3))) - date_diff('millisecond', timestamp '1970-01-01 00:00:00', cast(occurred_at as timestamp(3))) > 3600000 then 1 else 0 end), 0)
        as events_late
from "__TRANSFORMED__"."poll_vote"
where occurred_at >= cast(cast('__DAY__' as date) as timestamp) and occurred_at < cast(date_add('day', 1, cast('__DAY__' as date)) as timestamp)
union all
select
    cast('__DAY__' as date) as day,
    'chat_message' as event_type,
    count(*) as events,
    coalesce(sum(case when date_diff('millisecond', timestamp '1970-01-01 00:00:00', cast(arrived_at as timestamp(3))) - date_diff('millisecond', timestamp '1970-01-01 00:00:00', cast(occurred_at as timestamp(3))) > 3600000 then 1 else 0 end), 0)
        as events_late
from "__TRANSFORMED__"."chat_message"
where occurred_at >= cast(cast('__DAY__' as date) as timestamp) and occurred_at < cast(date_add('day', 1, cast('__DAY__' as date)) as timestamp)
union all
select
    cast('__DAY__' as date) as day,
    'like' as event_type,
    count(*) as events,
    coalesce(sum(case when date_diff('millisecond', timestamp '1970-01-01 00:00:00', cast(arrived_at as timestamp(3))) - date_diff('millisecond', timestamp '1970-01-01 00:00:00', cast(occurred_at as timestamp(3))) > 3600000 then 1 else 0 end), 0)
        as events_late
from "__TRANSFORMED__"."like"
where occurred_at >= cast(cast('__DAY__' as date) as timestamp) and occurred_at < cast(date_add('day', 1, cast('__DAY__' as date)) as timestamp)
union all
select
    cast('__DAY__' as date) as day,
    'listener_count' as event_type,
    count(*) as events,
    coalesce(sum(case when date_diff('millisecond', timestamp '1970-01-01 00:00:00', cast(arrived_at as timestamp(3))) - date_diff('millisecond', timestamp '1970-01-01 00:00:00', cast(occurred_at as timestamp(3))) > 3600000 then 1 else 0 end), 0)
        as events_late
from "__TRANSFORMED__"."listener_count"
where occurred_at >= cast(cast('__DAY__' as date) as timestamp) and occurred_at < cast(date_add('day', 1, cast('__DAY__' as date)) as timestamp)
union all
select
    cast('__DAY__' as date) as day,
    'playback_metric' as event_type,
    count(*) as events,
    coalesce(sum(case when date_diff('millisecond', timestamp '1970-01-01 00:00:00', cast(arrived_at as timestamp(3))) - date_diff('millisecond', timestamp '1970-01-01 00:00:00', cast(occurred_at as timestamp(3))) > 3600000 then 1 else 0 end), 0)
        as events_late
from "__TRANSFORMED__"."playback_metric"
where occurred_at >= cast(cast('__DAY__' as date) as timestamp) and occurred_at < cast(date_add('day', 1, cast('__DAY__' as date)) as timestamp)
union all
select
    cast('__DAY__' as date) as day,
    'click' as event_type,
    count(*) as events,
    coalesce(sum(case when date_diff('millisecond', timestamp '1970-01-01 00:00:00', cast(arrived_at as timestamp(3))) - date_diff('millisecond', timestamp '1970-01-01 00:00:00', cast(occurred_at as timestamp(3))) > 3600000 then 1 else 0 end), 0)
        as events_late
from "__TRANSFORMED__"."click"
where occurred_at >= cast(cast('__DAY__' as date) as timestamp) and occurred_at < cast(date_add('day', 1, cast('__DAY__' as date)) as timestamp)
union all
select
    cast('__DAY__' as date) as day,
    'content_report' as event_type,
    count(*) as events,
    coalesce(sum(case when date_diff('millisecond', timestamp '1970-01-01 00:00:00', cast(arrived_at as timestamp(3))) - date_diff('millisecond', timestamp '1970-01-01 00:00:00', cast(occurred_at as timestamp(3))) > 3600000 then 1 else 0 end), 0)
        as events_late
from "__TRANSFORMED__"."content_report"
where occurred_at >= cast(cast('__DAY__' as date) as timestamp) and occurred_at < cast(date_add('day', 1, cast('__DAY__' as date)) as timestamp)
union all
select
    cast('__DAY__' as date) as day,
    'moderation_decision' as event_type,
    count(*) as events,
    coalesce(sum(case when date_diff('millisecond', timestamp '1970-01-01 00:00:00', cast(arrived_at as timestamp(3))) - date_diff('millisecond', timestamp '1970-01-01 00:00:00', cast(occurred_at as timestamp(3))) > 3600000 then 1 else 0 end), 0)
        as events_late
from "__TRANSFORMED__"."moderation_decision"
where occurred_at >= cast(cast('__DAY__' as date) as timestamp) and occurred_at < cast(date_add('day', 1, cast('__DAY__' as date)) as timestamp)
) as result
