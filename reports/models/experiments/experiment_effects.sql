{%- set terms = effect_terms() -%}
{#- A unit is whom the experiment drew by: a device where it says so, else the listener. -#}
with exposures as (
    select
        experiment_id,
        experiment_variant as variant,
        case when experiment_unit = 'device' then device_key else {{ listener() }} end as unit,
        session_id,
        occurred_at,
        event_id
    from {{ source("transformed", "experiment_exposure") }}
    where
        occurred_at >= {{ midnight(1 - terms.days) }} and occurred_at < {{ midnight(1) }}
        and experiment_id is not null and experiment_variant is not null
),

in_order as (
    select
        *,
        row_number() over (partition by experiment_id, unit order by occurred_at, event_id) as place
    from exposures
    where
        unit is not null and session_id is not null
        {#- A session that may still go on is counted on the next day. #}
        and occurred_at < {{ hours_from(midnight(1), -terms.session_hours) }}
),

mixed as (
    select experiment_id, unit
    from exposures
    where unit is not null
    group by experiment_id, unit
    having count(distinct variant) > 1
),

mixed_counts as (
    select experiment_id, count(*) as units_in_two_variants
    from mixed
    group by experiment_id
),

{#- The first session in which a unit met the experiment: one for each unit, so that units are independent. #}
units as (
    select in_order.experiment_id, in_order.variant, in_order.unit, in_order.session_id, in_order.occurred_at
    from in_order
    left join mixed on in_order.experiment_id = mixed.experiment_id and in_order.unit = mixed.unit
    where in_order.place = 1 and mixed.unit is null
),

outcomes as (
    select 'listen' as outcome, session_id, max(occurred_at) as last_at
    from {{ source("transformed", "playback_metric") }}
    where
        occurred_at >= {{ midnight(1 - terms.days) }} and occurred_at < {{ midnight(1) }}
        and session_id is not null and {{ was_heard() }}
    group by session_id
    union all
    select 'follow' as outcome, session_id, max(occurred_at) as last_at
    from {{ source("transformed", "follow") }}
    where
        occurred_at >= {{ midnight(1 - terms.days) }} and occurred_at < {{ midnight(1) }}
        and session_id is not null and follow_action = 'follow'
    group by session_id
),

kinds as (
    select 'listen' as outcome
    union all
    select 'follow' as outcome
),

arms as (
    select
        units.experiment_id as subject,
        kinds.outcome,
        units.variant as arm,
        case when units.variant = 'control' then 1 else 0 end as is_control,
        1 as split_evenly,
        count(*) as units,
        count(outcomes.session_id) as conversions
    from units
    cross join kinds
    left join outcomes
        on
            kinds.outcome = outcomes.outcome
            and units.session_id = outcomes.session_id
            and outcomes.last_at >= units.occurred_at
    group by units.experiment_id, kinds.outcome, units.variant
),

estimates as (
    {{ effects("arms") }}
)

select
    {{ day() }} as day,
    estimates.subject as experiment_id,
    estimates.outcome,
    estimates.arm as variant,
    estimates.units,
    coalesce(mixed_counts.units_in_two_variants, 0) as units_in_two_variants,
    {{ effect_columns("estimates") }}
from estimates
left join mixed_counts on estimates.subject = mixed_counts.experiment_id
