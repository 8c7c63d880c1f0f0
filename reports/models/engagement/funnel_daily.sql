{#- Each step is looked for from the moment of the step before it on: the earliest of each leaves most room for the next. -#}
with opened as (
    select {{ listener() }} as listener, min(occurred_at) as opened_at
    from {{ source("transformed", "app_opened") }}
    where occurred_at >= {{ midnight() }} and occurred_at < {{ midnight(1) }} and {{ listener() }} is not null
    group by {{ listener() }}
),

listened as (
    select opened.listener, min(playback.occurred_at) as listened_at
    from opened
    inner join {{ source("transformed", "playback_metric") }} as playback
        on opened.listener = {{ listener("playback") }} and playback.occurred_at >= opened.opened_at
    where
        playback.occurred_at >= {{ midnight() }} and playback.occurred_at < {{ midnight(1) }}
        and {{ was_heard("playback") }}
    group by opened.listener
),

followed as (
    select distinct listened.listener
    from listened
    inner join {{ source("transformed", "follow") }} as follows
        on listened.listener = {{ listener("follows") }} and follows.occurred_at >= listened.listened_at
    where
        follows.occurred_at >= {{ midnight() }} and follows.occurred_at < {{ midnight(1) }}
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
    {{ day() }} as day,
    opened,
    listened,
    followed,
    {{ share("listened", "opened") }} as listened_share,
    {{ share("followed", "listened") }} as followed_share,
    {{ share("followed", "opened") }} as open_to_follow_share
from steps
