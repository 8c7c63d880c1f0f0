{# The business review of the week (from Monday) or month in which the day of the run lies, up to that day, against the
   same days of the period before and of the year before (weeks: 52 weeks, so that weekdays meet). #}
{% macro business_review(unit) %}
{%- set from = "cast(date_trunc('" ~ unit ~ "', " ~ day() ~ ") as date)" -%}
{%- if unit == "week" -%}
    {%- set periods = {
        "this": (from, day()),
        "before": (days_from(from, -7), day(-7)),
        "year_before": (days_from(from, -364), day(-364)),
    } -%}
{%- else -%}
    {%- set periods = {
        "this": (from, day()),
        "before": (months_from(from, -1), months_from(day(), -1)),
        "year_before": (months_from(from, -12), months_from(day(), -12)),
    } -%}
{%- endif -%}
{%- set counts = [
    "listeners", "new_users", "sessions", "shows", "minutes_listened", "peak_concurrency_of_a_show", "likes", "calls",
    "chat_messages", "follows_gained", "poll_votes",
] -%}
with measured as (
    {%- for period, (first, last) in periods.items() %}
    {{ "union all" if not loop.first }}
    select
        '{{ period }}' as period, listening.listeners, sign_ups.new_users, statistics.*
    from (
        select
            count(distinct case when minutes_listened > 0 then show_id end) as shows,
            coalesce(sum(sessions), 0) as sessions,
            coalesce(sum(minutes_listened), 0) as minutes_listened,
            coalesce(max(peak_concurrency), 0) as peak_concurrency_of_a_show,
            {%- for measure in ["likes", "calls", "chat_messages", "follows_gained", "poll_votes"] %}
            coalesce(sum({{ measure }}), 0) as {{ measure }}{{ "," if not loop.last }}
            {%- endfor %}
        from {{ source("transformed", "show_statistics_daily") }}
        where day >= {{ first }} and day <= {{ last }}
    ) as statistics
    cross join (
        {# A session is taken to be at most a week long, so that few of them are read. #}
        select count(distinct listener_key) as listeners
        from {{ source("transformed", "sessions") }}
        where started_at >= cast({{ days_from(first, -7) }} as timestamp)
            and started_at < cast({{ days_from(last, 1) }} as timestamp)
            and ended_at > cast({{ first }} as timestamp)
    ) as listening
    cross join (
        select count(distinct coalesce(user_key, device_key, event_id)) as new_users
        from {{ source("transformed", "sign_up") }}
        where occurred_at >= cast({{ first }} as timestamp) and occurred_at < cast({{ days_from(last, 1) }} as timestamp)
    ) as sign_ups
    {%- endfor %}
),

known as (
    select min(day) as data_begin_on
    from {{ source("transformed", "show_statistics_daily") }}
    where day <= {{ day() }}
)

select
    {{ day() }} as day,
    {{ periods["this"][0] }} as first_day,
    {{ days_between(periods["this"][0], day()) }} + 1 as days,
    known.data_begin_on,
    {%- for period in ["before", "year_before"] %}
    case
        when known.data_begin_on is null then 'there are no data'
        when known.data_begin_on > {{ periods[period][0] }} then
            'data begin on ' || cast(known.data_begin_on as varchar(10)) || ', and this would begin on '
            || cast({{ periods[period][0] }} as varchar(10))
    end as {{ period }}_gap,
    {%- endfor %}
    {%- for measure in counts %}
    this_period.{{ measure }},
    {%- for period in ["before", "year_before"] %}
    period_{{ period }}.{{ measure }} as {{ measure }}_{{ period }},
    {%- endfor %}
    {%- endfor %}
    {{ quotient("this_period.minutes_listened", "this_period.listeners") }} as minutes_per_listener,
    {%- for period in ["before", "year_before"] %}
    {{ quotient("period_" ~ period ~ ".minutes_listened", "period_" ~ period ~ ".listeners") }}
        as minutes_per_listener_{{ period }}{{ "," if not loop.last }}
    {%- endfor %}
from measured as this_period
cross join known
{%- for period in ["before", "year_before"] %}
left join measured as period_{{ period }}
    on period_{{ period }}.period = '{{ period }}' and known.data_begin_on <= {{ periods[period][0] }}
{%- endfor %}
where this_period.period = 'this'
{% endmacro %}
