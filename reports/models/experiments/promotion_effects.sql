{%- set terms = effect_terms() -%}
with exposures as (
    select promotion_id, show_id, session_id, occurred_at
    from {{ source("transformed", "promotion_exposure") }}
    where
        occurred_at >= {{ midnight(1 - terms.days) }} and occurred_at < {{ midnight(1) }}
        and promotion_id is not null and show_id is not null and session_id is not null
),

promotions as (
    select promotion_id, show_id, min(occurred_at) as first_at, max(occurred_at) as last_at
    from exposures
    group by promotion_id, show_id
),

exposed as (
    select distinct promotion_id, show_id, session_id
    from exposures
),

sessions as (
    select {{ listener() }} as listener, session_id, min(occurred_at) as opened_at
    from {{ source("transformed", "app_opened") }}
    where
        occurred_at >= {{ midnight(1 - terms.days) }}
        {#- A session that may still go on is counted on the next day. #}
        and occurred_at < {{ hours_from(midnight(1), -terms.session_hours) }}
        and session_id is not null and {{ listener() }} is not null
    group by {{ listener() }}, session_id
),

{#- A listener's first session while the promotion ran: one for each listener, so that units are independent and no
    earlier exposure reaches into a session that counts as one without. #}
in_order as (
    select
        promotions.promotion_id,
        promotions.show_id,
        sessions.session_id,
        row_number() over (
            partition by promotions.promotion_id, promotions.show_id, sessions.listener
            order by sessions.opened_at, sessions.session_id
        ) as place
    from promotions
    inner join sessions
        on sessions.opened_at >= promotions.first_at and sessions.opened_at <= promotions.last_at
),

played as (
    select distinct show_id, session_id
    from {{ source("transformed", "playback_metric") }}
    where
        occurred_at >= {{ midnight(1 - terms.days) }} and occurred_at < {{ midnight(1) }}
        and session_id is not null and {{ was_heard() }}
),

arms as (
    select
        in_order.promotion_id as subject,
        in_order.show_id as outcome,
        case when exposed.session_id is null then 'not exposed' else 'exposed' end as arm,
        case when exposed.session_id is null then 1 else 0 end as is_control,
        0 as split_evenly,
        count(*) as units,
        count(played.session_id) as conversions
    from in_order
    left join exposed
        on
            in_order.promotion_id = exposed.promotion_id
            and in_order.show_id = exposed.show_id
            and in_order.session_id = exposed.session_id
    left join played on in_order.show_id = played.show_id and in_order.session_id = played.session_id
    where in_order.place = 1
    group by 1, 2, 3, 4
),

estimates as (
    {{ effects("arms") }}
)

select
    {{ day() }} as day,
    estimates.subject as promotion_id,
    estimates.outcome as show_id,
    estimates.arm as exposure,
    estimates.units,
    {{ effect_columns("estimates") }}
from estimates
