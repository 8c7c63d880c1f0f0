{# Did an arm do better than the arm without treatment? One estimator for experiments and promotions;
   docs/reports/experiments.md explains it, decision 37 gives the reasons. #}
{% macro effect_terms() %}
{%- do return({
    "days": 28,
    "session_hours": 1,
    "z": 1.959963984540054,
    "z_power": 0.8416212335729143,
    "least_units": 100,
    "least_conversions": 10,
    "sample_ratio_critical": {1: 10.8276, 2: 13.8155, 3: 16.2662, 4: 18.4668, 5: 20.515},
    "z_sample_ratio": 3.090232306167813,
}) -%}
{% endmacro %}

{# The estimate for each arm, from the name of a relation with a row for each subject, outcome and arm:

   subject, outcome, arm
   is_control      1 for the arm that the others are compared with, else 0
   split_evenly    1 where units were drawn into arms evenly, so that their numbers can be checked, else 0
   units           independent units in the arm
   conversions     those of them that did what is counted

   Gives these and: converted_share, converted_share_low, converted_share_high, difference, difference_low,
   difference_high, detectable_difference, sample_ratio_chi_square, verdict.

   Intervals are of 95 %: Wilson's score interval for a share, Newcombe's hybrid score interval (his method 10, 1998)
   for a difference; both hold for small shares, and stay within what is possible. #}
{% macro effects(arms) %}
{%- set terms = effect_terms() -%}
{%- set z2 = terms.z ** 2 -%}
with counts as (
    select
        *,
        {{ double("units") }} as n,
        {{ double("conversions") }} as x
    from {{ arms }}
),

scores as (
    select
        *,
        x / nullif(n, 0) as p,
        (x + {{ z2 / 2 }}) / (n + {{ z2 }}) as centre,
        {#- x * (n - x) / n is n * p * (1 - p). #}
        {{ terms.z }} * sqrt(coalesce(x * (n - x) / nullif(n, 0), 0) + {{ z2 / 4 }}) / (n + {{ z2 }}) as reach
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
        {{ double("count(*) - 1") }} as degrees,
        sum(is_control) as controls,
        {#- Pearson's chi-square against an even split, where it holds: of 5 units expected in each arm. #}
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
        {#- The share's centre, not the share: a control without a conversion does not make everything detectable. #}
        {{ terms.z + terms.z_power }}
        * sqrt(controls.centre * (1 - controls.centre) * (1 / nullif(bounded.n, 0) + 1 / nullif(controls.n, 0)))
            as detectable_difference,
        bounded.x + controls.x as both_converted,
        bounded.n + controls.n - bounded.x - controls.x as both_not_converted,
        case when bounded.split_evenly = 1 and subjects.arms > 1 then subjects.chi_square end as chi_square,
        case subjects.arms
            {% for degrees, critical in terms.sample_ratio_critical.items() -%}
            when {{ degrees + 1 }} then {{ critical }}
            {% endfor -%}
            {#- Wilson and Hilferty's approximation. #}
            else degrees * power(
                1 - 2 / nullif(9 * degrees, 0) + {{ terms.z_sample_ratio }} * sqrt(2 / nullif(9 * degrees, 0)), 3
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
            when n < {{ terms.least_units }} or control_n < {{ terms.least_units }} then 'too little data'
            when is_control = 1 then 'control'
            when both_converted < {{ terms.least_conversions }} or both_not_converted < {{ terms.least_conversions }}
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
{% endmacro %}

{# The columns of an estimate as tables of results have them. #}
{% macro effect_columns(estimates) %}
{%- for column in [
    "conversions", "converted_share", "converted_low_share", "converted_high_share", "difference", "difference_low",
    "difference_high", "detectable_difference", "sample_ratio_chi_square", "verdict"
] -%}
{{ "," if not loop.first }}
    {{ estimates }}.{{ column }}
{%- endfor %}
{% endmacro %}

{# Rows of the day whose estimate lies outside of its interval, or whose control has a difference. #}
{% macro outside_their_intervals(model) %}
select *
from {{ ref(model) }}
where
    day = {{ day() }} and (
        conversions > units
        or converted_share < converted_low_share or converted_share > converted_high_share
        or difference < difference_low or difference > difference_high
        or (verdict = 'control' and difference is not null)
        or (verdict in ('too little data', 'sample ratio mismatch', 'no control') and converted_share is not null)
    )
{% endmacro %}
