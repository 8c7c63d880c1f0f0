{%- set open_minutes, listen_minutes = 120, 30 -%}
{%- set minutes = open_minutes + listen_minutes -%}
{#- A notification counts on the day on which its time is over, so that each has had all of its time and none looks
    beyond the day. -#}
with delivered as (
    select
        notification_id,
        {{ listener() }} as listener,
        coalesce(min(notification_kind), 'unknown') as kind,
        coalesce(min(notification_channel), 'unknown') as channel,
        min(occurred_at) as delivered_at
    from {{ source("transformed", "notification_delivered") }}
    where
        occurred_at >= {{ midnight(-1) }} and occurred_at < {{ midnight(1) }}
        and notification_id is not null and {{ listener() }} is not null
    group by notification_id, {{ listener() }}
),

counted as (
    select *
    from delivered
    where
        {{ epoch_ms("delivered_at") }} + {{ minutes * 60000 }} >= {{ epoch_ms(midnight()) }}
        and {{ epoch_ms("delivered_at") }} + {{ minutes * 60000 }} < {{ epoch_ms(midnight(1)) }}
),

opened as (
    select counted.notification_id, counted.listener, min(opening.occurred_at) as opened_at
    from counted
    inner join {{ source("transformed", "notification_opened") }} as opening
        on
            counted.notification_id = opening.notification_id
            and counted.listener = {{ listener("opening") }}
            and opening.occurred_at >= counted.delivered_at
            and {{ epoch_ms("opening.occurred_at") }} - {{ epoch_ms("counted.delivered_at") }} <= {{ open_minutes * 60000 }}
    where opening.occurred_at >= {{ midnight(-1) }} and opening.occurred_at < {{ midnight(1) }}
    group by counted.notification_id, counted.listener
),

listened as (
    select distinct opened.notification_id, opened.listener
    from opened
    inner join {{ source("transformed", "playback_metric") }} as playback
        on
            opened.listener = {{ listener("playback") }}
            and playback.occurred_at > opened.opened_at
            and {{ epoch_ms("playback.occurred_at") }} - {{ epoch_ms("opened.opened_at") }} <= {{ listen_minutes * 60000 }}
    where
        playback.occurred_at >= {{ midnight(-1) }} and playback.occurred_at < {{ midnight(1) }}
        and {{ was_heard("playback") }}
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
    {{ day() }} as day,
    kind,
    channel,
    delivered,
    opened,
    listened,
    {{ share("opened", "delivered") }} as opened_share,
    {{ share("listened", "opened") }} as listened_share,
    {{ share("listened", "delivered") }} as delivery_to_listen_share
from steps
