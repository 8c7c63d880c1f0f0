select
    cast(day as date) as day,
    cast(experiment_id as varchar) as experiment_id,
    cast(outcome as varchar) as outcome,
    cast(variant as varchar) as variant,
    cast(units as bigint) as units,
    cast(units_in_two_variants as bigint) as units_in_two_variants,
    cast(conversions as bigint) as conversions,
    cast(converted_share as double) as converted_share,
    cast(converted_low_share as double) as converted_low_share,
    cast(converted_high_share as double) as converted_high_share,
    cast(difference as double) as difference,
    cast(difference_low as double) as difference_low,
    cast(difference_high as double) as difference_high,
    cast(detectable_difference as double) as detectable_difference,
    cast(sample_ratio_chi_square as double) as sample_ratio_chi_square,
    cast(verdict as varchar) as verdict
from (
with exposures as (
    select
        experiment_id,
        experiment_variant as variant,
        case when experiment_unit = 'device' then device_key else coalesce(user_key, device_key) end as unit,
        session_id,
        occurred_at,
        event_id
    from "__TRANSFORMED__"."experiment_exposure"
    where
        occurred_at >= cast((cast('__DAY__' as date) - 27) as timestamp) and occurred_at < cast((cast('__DAY__' as date) + 1) as timestamp)
        and experiment_id is not null and experiment_variant is not null
),
in_order as (
    select
        *,
        row_number() over (partition by experiment_id, unit order by occurred_at, event_id) as place
    from exposures
    where
        unit is not null and session_id is not null
        and occurred_at < (cast((cast('__DAY__' as date) + 1) as timestamp) + interval (-1) hour)
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
units as (
    select in_order.experiment_id, in_order.variant, in_order.unit, in_order.session_id, in_order.occurred_at
    from in_order
    left join mixed on in_order.experiment_id = mixed.experiment_id and in_order.unit = mixed.unit
    where in_order.place = 1 and mixed.unit is null
),
outcomes as (
    select 'listen' as outcome, session_id, max(occurred_at) as last_at
    from "__TRANSFORMED__"."playback_metric"
    where
        occurred_at >= cast((cast('__DAY__' as date) - 27) as timestamp) and occurred_at < cast((cast('__DAY__' as date) + 1) as timestamp)
        and session_id is not null and playback_listened_ms > 0 and show_id is not null
    group by session_id
    union all
    select 'follow' as outcome, session_id, max(occurred_at) as last_at
    from "__TRANSFORMED__"."follow"
    where
        occurred_at >= cast((cast('__DAY__' as date) - 27) as timestamp) and occurred_at < cast((cast('__DAY__' as date) + 1) as timestamp)
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
    with counts as (
    select
        *,
        cast(units as double precision) as n,
        cast(conversions as double precision) as x
    from arms
),
scores as (
    select
        *,
        x / nullif(n, 0) as p,
        (x + 1.9207294103470627) / (n + 3.8414588206941254) as centre,
        1.959963984540054 * sqrt(coalesce(x * (n - x) / nullif(n, 0), 0) + 0.9603647051735313) / (n + 3.8414588206941254) as reach
    from counts
),
bounded as (
    select
        *,
        case when centre - reach > 0 and x > 0 then centre - reach else 0 end as low,
        case when centre + reach < 1 and x < n then centre + reach else 1 end as high
    from scores
),
subjects as (
    select
        subject,
        outcome,
        count(*) as arms,
        cast(count(*) - 1 as double precision) as degrees,
        sum(is_control) as controls,
        case when sum(n) >= 5 * count(*) then count(*) * sum(n * n) / sum(n) - sum(n) end as chi_square
    from counts
    group by subject, outcome
),
controls as (
    select subject, outcome, n, x, p, centre, low, high
    from bounded
    where is_control = 1
),
compared as (
    select
        bounded.subject,
        bounded.outcome,
        bounded.arm,
        bounded.is_control,
        bounded.units,
        bounded.conversions,
        bounded.n,
        bounded.p,
        bounded.low,
        bounded.high,
        controls.n as control_n,
        subjects.controls,
        bounded.p - controls.p as difference,
        bounded.p - controls.p
        - sqrt((bounded.p - bounded.low) * (bounded.p - bounded.low) + (controls.high - controls.p) * (controls.high - controls.p))
            as difference_low,
        bounded.p - controls.p
        + sqrt((bounded.high - bounded.p) * (bounded.high - bounded.p) + (controls.p - controls.low) * (controls.p - controls.low))
            as difference_high,
        2.8015852181129683
        * sqrt(controls.centre * (1 - controls.centre) * (1 / nullif(bounded.n, 0) + 1 / nullif(controls.n, 0)))
            as detectable_difference,
        bounded.x + controls.x as both_converted,
        bounded.n + controls.n - bounded.x - controls.x as both_not_converted,
        case when bounded.split_evenly = 1 and subjects.arms > 1 then subjects.chi_square end as chi_square,
        case subjects.arms
            when 2 then 10.8276
            when 3 then 13.8155
            when 4 then 16.2662
            when 5 then 18.4668
            when 6 then 20.515
            else degrees * power(
                1 - 2 / nullif(9 * degrees, 0) + 3.090232306167813 * sqrt(2 / nullif(9 * degrees, 0)), 3
            )
        end as chi_square_critical
    from bounded
    inner join subjects on bounded.subject = subjects.subject and bounded.outcome = subjects.outcome
    left join controls on bounded.subject = controls.subject and bounded.outcome = controls.outcome
),
judged as (
    select
        *,
        case
            when controls = 0 then 'no control'
            when chi_square > chi_square_critical then 'sample ratio mismatch'
            when n < 100 or control_n < 100 then 'too little data'
            when is_control = 1 then 'control'
            when both_converted < 10 or both_not_converted < 10
                then 'too little data'
            when difference_low > 0 then 'higher'
            when difference_high < 0 then 'lower'
            else 'no difference found'
        end as verdict
    from compared
)
select
    subject,
    outcome,
    arm,
    units,
    conversions,
    case when reported = 1 then p end as converted_share,
    case when reported = 1 then low end as converted_low_share,
    case when reported = 1 then high end as converted_high_share,
    case when reported = 1 and is_control = 0 then difference end as difference,
    case when reported = 1 and is_control = 0 then difference_low end as difference_low,
    case when reported = 1 and is_control = 0 then difference_high end as difference_high,
    case when is_control = 0 then detectable_difference end as detectable_difference,
    chi_square as sample_ratio_chi_square,
    verdict
from (
    select
        *,
        case when verdict in ('control', 'higher', 'lower', 'no difference found') then 1 else 0 end as reported
    from judged
) as verdicts
)
select
    cast('__DAY__' as date) as day,
    estimates.subject as experiment_id,
    estimates.outcome,
    estimates.arm as variant,
    estimates.units,
    coalesce(mixed_counts.units_in_two_variants, 0) as units_in_two_variants,
    estimates.conversions,
    estimates.converted_share,
    estimates.converted_low_share,
    estimates.converted_high_share,
    estimates.difference,
    estimates.difference_low,
    estimates.difference_high,
    estimates.detectable_difference,
    estimates.sample_ratio_chi_square,
    estimates.verdict
from estimates
left join mixed_counts on estimates.subject = mixed_counts.experiment_id
) as result
