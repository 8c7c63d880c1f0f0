select
    cast(day as date) as day,
    cast(opened as bigint) as opened,
    cast(listened as bigint) as listened,
    cast(followed as bigint) as followed,
    cast(listened_share as double) as listened_share,
    cast(followed_share as double) as followed_share,
    cast(open_to_follow_share as double) as open_to_follow_share
from (
with opened as (
    select coalesce(user_key, device_key) as listener, min(occurred_at) as opened_at
    from "__TRANSFORMED__"."app_opened"
    where occurred_at >= cast(cast('__DAY__' as date) as timestamp) and occurred_at < cast(date_add('day', 1, cast('__DAY__' as date)) as timestamp) and coalesce(user_key, device_key) is not null
    group by coalesce(user_key, device_key)
),
listened as (
    select opened.listener, min(playback.occurred_at) as listened_at
    from opened
    inner join "__TRANSFORMED__"."playback_metric" as playback
        on opened.listener = coalesce(playback.user_key, playback.device_key) and playback.occurred_at >= opened.opened_at
    where
        playback.occurred_at >= cast(cast('__DAY__' as date) as timestamp) and playback.occurred_at < cast(date_add('day', 1, cast('__DAY__' as date)) as timestamp)
        and playback.playback_listened_ms > 0 and playback.show_id is not null
    group by opened.listener
),
followed as (
    select distinct listened.listener
    from listened
    inner join "__TRANSFORMED__"."follow" as follows
        on listened.listener = coalesce(follows.user_key, follows.device_key) and follows.occurred_at >= listened.listened_at
    where
        follows.occurred_at >= cast(cast('__DAY__' as date) as timestamp) and follows.occurred_at < cast(date_add('day', 1, cast('__DAY__' as date)) as timestamp)
        and follows.follow_action = 'follow'
),
steps as (
    select
        count(opened.listener) as opened,
        count(listened.listener) as listened,
        count(followed.listener) as followed
    from opened
    left join listened on opened.listener = listened.listener
    left join followed on listened.listener = followed.listener
)
select
    cast('__DAY__' as date) as day,
    opened,
    listened,
    followed,
    cast(listened as double) / nullif(cast(opened as double), 0) as listened_share,
    cast(followed as double) / nullif(cast(listened as double), 0) as followed_share,
    cast(followed as double) / nullif(cast(opened as double), 0) as open_to_follow_share
from steps
) as result
