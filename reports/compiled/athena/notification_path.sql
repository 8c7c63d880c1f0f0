select
    cast(day as date) as day,
    cast(kind as varchar) as kind,
    cast(channel as varchar) as channel,
    cast(delivered as bigint) as delivered,
    cast(opened as bigint) as opened,
    cast(listened as bigint) as listened,
    cast(opened_share as double) as opened_share,
    cast(listened_share as double) as listened_share,
    cast(delivery_to_listen_share as double) as delivery_to_listen_share
from (
with delivered as (
    select
        notification_id,
        coalesce(user_key, device_key) as listener,
        coalesce(min(notification_kind), 'unknown') as kind,
        coalesce(min(notification_channel), 'unknown') as channel,
        min(occurred_at) as delivered_at
    from "__TRANSFORMED__"."notification_delivered"
    where
        occurred_at >= cast(date_add('day', -1, cast('__DAY__' as date)) as timestamp) and occurred_at < cast(date_add('day', 1, cast('__DAY__' as date)) as timestamp)
        and notification_id is not null and coalesce(user_key, device_key) is not null
    group by notification_id, coalesce(user_key, device_key)
),
counted as (
    select *
    from delivered
    where
        date_diff('millisecond', timestamp '1970-01-01 00:00:00', cast(delivered_at as timestamp(3))) + 9000000 >= date_diff('millisecond', timestamp '1970-01-01 00:00:00', cast(cast(cast('__DAY__' as date) as timestamp) as timestamp(3)))
        and date_diff('millisecond', timestamp '1970-01-01 00:00:00', cast(delivered_at as timestamp(3))) + 9000000 < date_diff('millisecond', timestamp '1970-01-01 00:00:00', cast(cast(date_add('day', 1, cast('__DAY__' as date)) as timestamp) as timestamp(3)))
),
opened as (
    select counted.notification_id, counted.listener, min(opening.occurred_at) as opened_at
    from counted
    inner join "__TRANSFORMED__"."notification_opened" as opening
        on
            counted.notification_id = opening.notification_id
            and counted.listener = coalesce(opening.user_key, opening.device_key)
            and opening.occurred_at >= counted.delivered_at
            and date_diff('millisecond', timestamp '1970-01-01 00:00:00', cast(opening.occurred_at as timestamp(3))) - date_diff('millisecond', timestamp '1970-01-01 00:00:00', cast(counted.delivered_at as timestamp(3))) <= 7200000
    where opening.occurred_at >= cast(date_add('day', -1, cast('__DAY__' as date)) as timestamp) and opening.occurred_at < cast(date_add('day', 1, cast('__DAY__' as date)) as timestamp)
    group by counted.notification_id, counted.listener
),
listened as (
    select distinct opened.notification_id, opened.listener
    from opened
    inner join "__TRANSFORMED__"."playback_metric" as playback
        on
            opened.listener = coalesce(playback.user_key, playback.device_key)
            and playback.occurred_at > opened.opened_at
            and date_diff('millisecond', timestamp '1970-01-01 00:00:00', cast(playback.occurred_at as timestamp(3))) - date_diff('millisecond', timestamp '1970-01-01 00:00:00', cast(opened.opened_at as timestamp(3))) <= 1800000
    where
        playback.occurred_at >= cast(date_add('day', -1, cast('__DAY__' as date)) as timestamp) and playback.occurred_at < cast(date_add('day', 1, cast('__DAY__' as date)) as timestamp)
        and playback.playback_listened_ms > 0 and playback.show_id is not null
),
steps as (
    select
        counted.kind,
        counted.channel,
        count(*) as delivered,
        count(opened.listener) as opened,
        count(listened.listener) as listened
    from counted
    left join opened
        on counted.notification_id = opened.notification_id and counted.listener = opened.listener
    left join listened
        on opened.notification_id = listened.notification_id and opened.listener = listened.listener
    group by counted.kind, counted.channel
)
select
    cast('__DAY__' as date) as day,
    kind,
    channel,
    delivered,
    opened,
    listened,
    cast(opened as double) / nullif(cast(delivered as double), 0) as opened_share,
    cast(listened as double) / nullif(cast(opened as double), 0) as listened_share,
    cast(listened as double) / nullif(cast(delivered as double), 0) as delivery_to_listen_share
from steps
) as result
