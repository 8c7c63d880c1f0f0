select
    cast(day as date) as day,
    cast(event_type as varchar(65535)) as event_type,
    cast(events as bigint) as events,
    cast(events_late as bigint) as events_late
from (
with types as (
    select 'show_catalog_entry' as event_type
    union all select 'sign_up' as event_type
    union all select 'app_opened' as event_type
    union all select 'app_closed' as event_type
    union all select 'show_impression' as event_type
    union all select 'promotion_exposure' as event_type
    union all select 'experiment_exposure' as event_type
    union all select 'notification_delivered' as event_type
    union all select 'notification_opened' as event_type
    union all select 'follow' as event_type
    union all select 'activity_update' as event_type
    union all select 'call_in' as event_type
    union all select 'co_host' as event_type
    union all select 'poll_vote' as event_type
    union all select 'chat_message' as event_type
    union all select 'like' as event_type
    union all select 'listener_count' as event_type
    union all select 'playback_metric' as event_type
    union all select 'click' as event_type
    union all select 'content_report' as event_type
    union all select 'moderation_decision' as event_type
),
occurred as (
    select
        event_type,
        (cast('__DAY__' as date) - cast(occurred_at as date)) as days_ago,
        cast(datediff('millisecond', cast('1970-01-01' as timestamp), cast(occurred_at as timestamp)) as bigint) as occurred_ms,
        cast(datediff('millisecond', cast('1970-01-01' as timestamp), cast(arrived_at as timestamp)) as bigint) as arrived_ms,
        schema_version
    from (
        select 'show_catalog_entry' as event_type, occurred_at, arrived_at, schema_version
        from "__TRANSFORMED__"."show_catalog_entry" where occurred_at >= cast(cast('__DAY__' as date) as timestamp) and occurred_at < cast((cast('__DAY__' as date) + 1) as timestamp)
        union all select 'sign_up' as event_type, occurred_at, arrived_at, schema_version
        from "__TRANSFORMED__"."sign_up" where occurred_at >= cast(cast('__DAY__' as date) as timestamp) and occurred_at < cast((cast('__DAY__' as date) + 1) as timestamp)
        union all select 'app_opened' as event_type, occurred_at, arrived_at, schema_version
        from "__TRANSFORMED__"."app_opened" where occurred_at >= cast(cast('__DAY__' as date) as timestamp) and occurred_at < cast((cast('__DAY__' as date) + 1) as timestamp)
        union all select 'app_closed' as event_type, occurred_at, arrived_at, schema_version
        from "__TRANSFORMED__"."app_closed" where occurred_at >= cast(cast('__DAY__' as date) as timestamp) and occurred_at < cast((cast('__DAY__' as date) + 1) as timestamp)
        union all select 'show_impression' as event_type, occurred_at, arrived_at, schema_version
        from "__TRANSFORMED__"."show_impression" where occurred_at >= cast(cast('__DAY__' as date) as timestamp) and occurred_at < cast((cast('__DAY__' as date) + 1) as timestamp)
        union all select 'promotion_exposure' as event_type, occurred_at, arrived_at, schema_version
        from "__TRANSFORMED__"."promotion_exposure" where occurred_at >= cast(cast('__DAY__' as date) as timestamp) and occurred_at < cast((cast('__DAY__' as date) + 1) as timestamp)
        union all select 'experiment_exposure' as event_type, occurred_at, arrived_at, schema_version
        from "__TRANSFORMED__"."experiment_exposure" where occurred_at >= cast(cast('__DAY__' as date) as timestamp) and occurred_at < cast((cast('__DAY__' as date) + 1) as timestamp)
        union all select 'notification_delivered' as event_type, occurred_at, arrived_at, schema_version
        from "__TRANSFORMED__"."notification_delivered" where occurred_at >= cast(cast('__DAY__' as date) as timestamp) and occurred_at < cast((cast('__DAY__' as date) + 1) as timestamp)
        union all select 'notification_opened' as event_type, occurred_at, arrived_at, schema_version
        from "__TRANSFORMED__"."notification_opened" where occurred_at >= cast(cast('__DAY__' as date) as timestamp) and occurred_at < cast((cast('__DAY__' as date) + 1) as timestamp)
        union all select 'follow' as event_type, occurred_at, arrived_at, schema_version
        from "__TRANSFORMED__"."follow" where occurred_at >= cast(cast('__DAY__' as date) as timestamp) and occurred_at < cast((cast('__DAY__' as date) + 1) as timestamp)
        union all select 'activity_update' as event_type, occurred_at, arrived_at, schema_version
        from "__TRANSFORMED__"."activity_update" where occurred_at >= cast(cast('__DAY__' as date) as timestamp) and occurred_at < cast((cast('__DAY__' as date) + 1) as timestamp)
        union all select 'call_in' as event_type, occurred_at, arrived_at, schema_version
        from "__TRANSFORMED__"."call_in" where occurred_at >= cast(cast('__DAY__' as date) as timestamp) and occurred_at < cast((cast('__DAY__' as date) + 1) as timestamp)
        union all select 'co_host' as event_type, occurred_at, arrived_at, schema_version
        from "__TRANSFORMED__"."co_host" where occurred_at >= cast(cast('__DAY__' as date) as timestamp) and occurred_at < cast((cast('__DAY__' as date) + 1) as timestamp)
        union all select 'poll_vote' as event_type, occurred_at, arrived_at, schema_version
        from "__TRANSFORMED__"."poll_vote" where occurred_at >= cast(cast('__DAY__' as date) as timestamp) and occurred_at < cast((cast('__DAY__' as date) + 1) as timestamp)
        union all select 'chat_message' as event_type, occurred_at, arrived_at, schema_version
        from "__TRANSFORMED__"."chat_message" where occurred_at >= cast(cast('__DAY__' as date) as timestamp) and occurred_at < cast((cast('__DAY__' as date) + 1) as timestamp)
        union all select 'like' as event_type, occurred_at, arrived_at, schema_version
        from "__TRANSFORMED__"."like" where occurred_at >= cast(cast('__DAY__' as date) as timestamp) and occurred_at < cast((cast('__DAY__' as date) + 1) as timestamp)
        union all select 'listener_count' as event_type, occurred_at, arrived_at, schema_version
        from "__TRANSFORMED__"."listener_count" where occurred_at >= cast(cast('__DAY__' as date) as timestamp) and occurred_at < cast((cast('__DAY__' as date) + 1) as timestamp)
        union all select 'playback_metric' as event_type, occurred_at, arrived_at, schema_version
        from "__TRANSFORMED__"."playback_metric" where occurred_at >= cast(cast('__DAY__' as date) as timestamp) and occurred_at < cast((cast('__DAY__' as date) + 1) as timestamp)
        union all select 'click' as event_type, occurred_at, arrived_at, schema_version
        from "__TRANSFORMED__"."click" where occurred_at >= cast(cast('__DAY__' as date) as timestamp) and occurred_at < cast((cast('__DAY__' as date) + 1) as timestamp)
        union all select 'content_report' as event_type, occurred_at, arrived_at, schema_version
        from "__TRANSFORMED__"."content_report" where occurred_at >= cast(cast('__DAY__' as date) as timestamp) and occurred_at < cast((cast('__DAY__' as date) + 1) as timestamp)
        union all select 'moderation_decision' as event_type, occurred_at, arrived_at, schema_version
        from "__TRANSFORMED__"."moderation_decision" where occurred_at >= cast(cast('__DAY__' as date) as timestamp) and occurred_at < cast((cast('__DAY__' as date) + 1) as timestamp)
    ) as occurred
)
select
    cast('__DAY__' as date) as day,
    types.event_type,
    count(occurred.event_type) as events,
    coalesce(sum(case when arrived_ms - occurred_ms > 3600000 then 1 else 0 end), 0) as events_late
from types
left join occurred on occurred.event_type = types.event_type
group by types.event_type
) as result
