{# Heard intervals as docs/decisions/0019 defines them, cut at midnights (UTC): listener_key (null where nobody is known),
   show_id, days_ago (0 is the day of the run), from_ms, until_ms (since 1970). From day(first) to the day of the run; a model
   has the CTE `ended`.
   An interval is at most 12 hours long, so it lies on the day of its end and perhaps on the one before. #}
{% macro heard_pieces(first=0) %}
    select listener_key, show_id, cast(({{ epoch_ms(midnight()) }} - day_ms) / 86400000 as integer) as days_ago, from_ms, until_ms
    from (
        select listener_key, show_id, day_ms, greatest(from_ms, day_ms) as from_ms, until_ms from ended
        union all
        select listener_key, show_id, day_ms - 86400000 as day_ms, from_ms, day_ms as until_ms from ended where from_ms < day_ms
    ) as cut
    where day_ms >= {{ epoch_ms(midnight(first)) }} and day_ms <= {{ epoch_ms(midnight()) }}
{% endmacro %}

{# What `heard_pieces` cuts; a model has it as its CTE `ended`: day_ms is the midnight before an interval's end. #}
{% macro heard_intervals(first=0) %}
    select listener_key, show_id, from_ms, until_ms, until_ms - 1 - mod(until_ms - 1, 86400000) as day_ms
    from (
        select
            {{ listener() }} as listener_key,
            show_id,
            {{ epoch_ms("occurred_at") }} - least(playback_listened_ms, 43200000) as from_ms,
            {{ epoch_ms("occurred_at") }} as until_ms
        from {{ source("transformed", "playback_metric") }}
        where playback_listened_ms > 0 and show_id is not null
            and occurred_at > {{ midnight(first) }} and occurred_at < {{ midnight(2) }}
    ) as intervals
{% endmacro %}

{# Most listeners at one moment by day, over all shows: days_ago, peak_concurrency; a model has the CTE `stretches`.
   Who listens with two devices or to two shows is one; who ends as another begins does not overlap. #}
{% macro peak_concurrency() %}
    select days_ago, max(listening) as peak_concurrency
    from (
        select
            days_ago,
            sum(step) over (partition by days_ago order by at_ms rows between unbounded preceding and current row) as listening
        from (
            select days_ago, at_ms, sum(step) as step
            from (
                select days_ago, min(from_ms) as at_ms, 1 as step from stretches group by days_ago, listener_key, number
                union all
                select days_ago, max(until_ms) as at_ms, -1 as step from stretches group by days_ago, listener_key, number
            ) as edges
            group by days_ago, at_ms
        ) as steps
    ) as swept
    group by days_ago
{% endmacro %}

{# Pieces of one listener numbered so that those which overlap or touch have one number; a model has it as `stretches`. #}
{% macro stretches(pieces) %}
    select
        days_ago, listener_key, from_ms, until_ms,
        sum(begins) over (
            partition by days_ago, listener_key order by from_ms, until_ms rows between unbounded preceding and current row
        ) as number
    from (
        select
            days_ago, listener_key, from_ms, until_ms,
            case
                when from_ms <= max(until_ms) over (
                    partition by days_ago, listener_key
                    order by from_ms, until_ms rows between unbounded preceding and 1 preceding
                ) then 0
                else 1
            end as begins
        from {{ pieces }}
        where listener_key is not null
    ) as begun
{% endmacro %}

{# Milliseconds as minutes of three decimals, halves rounded up; no milliseconds are 0 minutes. #}
{% macro minutes(ms) -%}
cast({{ double("(coalesce(" ~ ms ~ ", 0) + 30 - mod(coalesce(" ~ ms ~ ", 0) + 30, 60)) / 60") }} / 1000 as decimal(18, 3))
{%- endmacro %}
