{# Trending, by one definition for near-real-time and settled lists; docs/reports/trending.md explains it, decision 37
   gives the reasons.

   What a listener is worth to a show in an hour is decision 19's: the same points, the same caps, the same fading. #}
{% macro trending_terms() %}
{%- do return({
    "window_hours": 6,
    "half_life_hours": 1.5,
    "weeks": 4,
    "points_per_minute": 1.0, "points_per_tap": 0.2, "points_per_call": 2.0, "points_per_message": 0.5,
    "points_per_follow": 5.0,
    "max_taps": 20, "max_calls": 2, "max_messages": 10, "max_points_of_a_listener": 60,
    "least_heard_ms": 60000,
    "least_listeners": 20,
    "prior_points": 120,
    "least_lift": 2.0,
    "shows_listed": 100,
}) -%}
{% endmacro %}

{# What was done in shows, from the tables of the lake: show_id, listener, occurred_at, heard_ms, taps, calls, messages,
   follows. #}
{% macro trending_deeds() %}
{{ deeds_in(
    source("transformed", "playback_metric"), source("transformed", "like"), source("transformed", "call_in"),
    source("transformed", "chat_message"), source("transformed", "follow"), listener()
) }}
{% endmacro %}

{# The same from the raw zone, whose rows are deliveries: each event once, of those that had arrived by as_of(). #}
{% macro trending_deeds_raw() %}
{{ deeds_in(
    delivered("playback_metric", ["show_id", "playback_listened_ms"]), delivered("like", ["show_id", "like_count"]),
    delivered("call_in", ["show_id", "call_state"]), delivered("chat_message", ["show_id"]),
    delivered("follow", ["follow_target_kind", "follow_target_id", "follow_action"]),
    "coalesce(user_id, device_id)"
) }}
{% endmacro %}

{% macro deeds_in(playback, likes, calls, messages, follows, listener) %}
select
    show_id, {{ listener }} as listener, occurred_at,
    case when playback_listened_ms > 43200000 then 43200000 else playback_listened_ms end as heard_ms,
    0 as taps, 0 as calls, 0 as messages, 0 as follows
from {{ playback }} as playback
where playback_listened_ms > 0
union all
select
    show_id, {{ listener }}, occurred_at, 0,
    case when like_count is null then 1 when like_count < 0 then 0 else like_count end, 0, 0, 0
from {{ likes }} as likes
union all
select show_id, {{ listener }}, occurred_at, 0, 0, 1, 0, 0
from {{ calls }} as calls
where call_state = 'requested'
union all
select show_id, {{ listener }}, occurred_at, 0, 0, 0, 1, 0
from {{ messages }} as messages
union all
select follow_target_id, {{ listener }}, occurred_at, 0, 0, 0, 0, 1
from {{ follows }} as follows
where follow_target_kind = 'show' and follow_action = 'follow'
{% endmacro %}

{# Whether a deed lies in one of the windows that trending asks for: those of so many full hours up to `latest`, in this
   week (0) and the weeks before. Engines push it down to the tables, so that other days are not read. #}
{% macro in_windows(latest, moments, weeks) %}
(
    {%- for week in weeks %}
    {{ "or " if not loop.first }}occurred_at >= {{ hours_from(latest, 1 - moments - trending_terms().window_hours - 168 * week) }}
    and occurred_at < {{ hours_from(latest, -168 * week) }}
    {%- endfor %}
)
{% endmacro %}

{# The partition column `arrival` lets Athena read the hours of the window and nothing else. One hour more is read than
   the window has: whose clock is up to an hour ahead is counted. #}
{% macro delivered(type, columns) %}
(
    select *
    from (
        select
            event_id, user_id, device_id, occurred_at, {{ columns | join(", ") }},
            row_number() over (partition by event_id order by arrived_at, sequence_number) as delivery
        from {{ source("raw", type) }}
        where
            arrival >= {{ arrival_hour(hours_from(as_of(), -trending_terms().window_hours - 1)) }}
            and arrival <= {{ arrival_hour(as_of()) }}
            and arrived_at < {{ as_of() }}
    ) as deliveries
    where delivery = 1
)
{% endmacro %}

{# The raw zone's partition of an hour of arrival: yyyy-MM-dd-HH. A string. #}
{% macro arrival_hour(moment) %}{{ adapter.dispatch("arrival_hour", "amp")(moment) }}{% endmacro %}
{% macro duckdb__arrival_hour(moment) %}strftime({{ moment }}, '%Y-%m-%d-%H'){% endmacro %}
{% macro athena__arrival_hour(moment) %}date_format({{ moment }}, '%Y-%m-%d-%H'){% endmacro %}
{% macro redshift__arrival_hour(moment) %}to_char({{ moment }}, 'YYYY-MM-DD-HH24'){% endmacro %}

{# The shows ranked as of the moment `latest` and of the full hours before it, `moments` in all.

   `deeds` is a select (`trending_deeds`) of what was done in the six hours before each moment and
   before the same hour of the four weeks before. #}
{% macro trending_ranks(deeds, latest, moments) %}
{%- set terms = trending_terms() -%}
with deeds as (
    {{ deeds }}
),

hourly as (
    select
        show_id,
        listener,
        {#- 0 for the hour that ends at `latest`; an event at its very start belongs to it. #}
        cast(
            floor({{ double(epoch_ms(latest) ~ " - " ~ epoch_ms("occurred_at") ~ " - 1") }} / 3600000)
            as integer
        ) as hours_ago,
        sum(heard_ms) as heard_ms,
        sum(taps) as taps,
        sum(calls) as calls,
        sum(messages) as messages,
        sum(follows) as follows
    from deeds
    where show_id is not null and occurred_at < {{ latest }}
    group by 1, 2, 3
),

worth as (
    select
        show_id,
        listener,
        hours_ago,
        heard_ms,
        {{ double("heard_ms") }} / 60000 * {{ terms.points_per_minute }}
        + case when taps > {{ terms.max_taps }} then {{ terms.max_taps }} else taps end * {{ terms.points_per_tap }}
        + case when calls > {{ terms.max_calls }} then {{ terms.max_calls }} else calls end * {{ terms.points_per_call }}
        + case when messages > {{ terms.max_messages }} then {{ terms.max_messages }} else messages end
        * {{ terms.points_per_message }}
        + case when follows > 1 then 1 else follows end * {{ terms.points_per_follow }} as points
    from hourly
),

{#- An hour counts in the window of each of the next six full hours, with the weight that it has faded to by then. #}
ages as (
    {% for age in range(terms.window_hours) -%}
    {{ "union all " if not loop.first }}select {{ age }} as age, {{ double(0.5 ** (age / terms.half_life_hours)) }} as weight
    {% endfor %}
),

{#- How many hours before `latest` the window ends, of this week (0) or of one before. #}
placed as (
    select
        worth.show_id,
        worth.listener,
        worth.heard_ms,
        worth.points * ages.weight as points,
        worth.hours_ago - ages.age as hours_ago,
        cast(floor((worth.hours_ago - ages.age) / {{ double(168) }}) as integer) as weeks_ago
    from worth
    cross join ages
    where worth.hours_ago >= ages.age
),

{#- Whole millionths add up to the same in whatever order, so that equal input gives equal ranks; engines round
    halves in different ways, so none is asked to. #}
by_listener as (
    select
        show_id,
        listener,
        weeks_ago,
        hours_ago - 168 * weeks_ago as moments_ago,
        sum(cast(floor(points * 1000000 + 0.5) as bigint)) as millionths,
        sum(heard_ms) as heard_ms
    from placed
    where hours_ago - 168 * weeks_ago < {{ moments }} and weeks_ago <= {{ terms.weeks }}
    group by 1, 2, 3, 4
),

capped as (
    select
        *,
        case
            when listener is null then 0
            when millionths > {{ terms.max_points_of_a_listener * 1000000 }} then {{ terms.max_points_of_a_listener * 1000000 }}
            else millionths
        end as worth_millionths,
        case when listener is not null and heard_ms >= {{ terms.least_heard_ms }} then 1 else 0 end as listens
    from by_listener
),

by_show as (
    select
        show_id,
        weeks_ago,
        moments_ago,
        sum(worth_millionths) as millionths_of_all,
        sum(worth_millionths * listens) as millionths,
        sum(listens) as listeners,
        sum(heard_ms) as heard_ms
    from capped
    group by 1, 2, 3
),

all_shows as (
    select
        moments_ago,
        sum(case when weeks_ago = 0 then millionths else 0 end) as millionths,
        sum(case when weeks_ago > 0 then millionths else 0 end) as usual_millionths,
        count(distinct case when weeks_ago > 0 and millionths > 0 then weeks_ago end) as usual_weeks
    from by_show
    group by 1
),

usual as (
    select moments_ago, show_id, sum(millionths) as millionths
    from by_show
    where weeks_ago > 0
    group by 1, 2
),

{#- The show's usual share of all listening at this hour of the week, of as much listening as there is now. #}
expected as (
    select
        by_show.moments_ago,
        by_show.show_id,
        {{ points("by_show.millionths") }} as activity,
        {{ points("by_show.millionths_of_all") }} as activity_of_all,
        by_show.listeners,
        by_show.heard_ms,
        all_shows.usual_weeks,
        {{ quotient("coalesce(usual.millionths, 0)", "all_shows.usual_millionths") }} * {{ points("all_shows.millionths") }}
            as expected_activity
    from by_show
    inner join all_shows on by_show.moments_ago = all_shows.moments_ago
    left join usual on by_show.moments_ago = usual.moments_ago and by_show.show_id = usual.show_id
    where by_show.weeks_ago = 0
),

compared as (
    select
        *,
        (activity + {{ terms.prior_points }}) / (expected_activity + {{ terms.prior_points }}) as lift,
        (activity - expected_activity) / sqrt(expected_activity + {{ terms.prior_points }}) as trending_score
    from expected
),

judged as (
    select
        *,
        case
            when listeners >= {{ terms.least_listeners }} and lift >= {{ terms.least_lift }} then 1 else 0
        end as trends
    from compared
),

ranked as (
    select
        *,
        row_number() over (
            partition by moments_ago
            order by trends desc, coalesce(trending_score, -1000000000) desc, activity desc, show_id
        ) as place
    from judged
)

select
    {{ day() }} as day,
    {{ hours_from(latest, "-moments_ago") }} as as_of,
    place as rank,
    show_id,
    trends = 1 as is_trending,
    trending_score,
    lift,
    activity,
    expected_activity,
    usual_weeks,
    listeners,
    {{ minutes("heard_ms") }} as minutes_listened,
    activity_of_all
from ranked
where place <= {{ terms.shows_listed }}
{% endmacro %}

{# Points of whole millionths. A double. #}
{% macro points(millionths) %}({{ double(millionths) }} / 1000000){% endmacro %}

{# Moments of the day whose ranks are not 1, 2, 3 and so on. #}
{% macro broken_ranks(model) %}
select as_of, count(*) as shows, min(rank) as first_rank, max(rank) as last_rank
from {{ ref(model) }}
where day = {{ day() }}
group by as_of
having min(rank) <> 1 or max(rank) <> count(*) or count(distinct rank) <> count(*)
{% endmacro %}
