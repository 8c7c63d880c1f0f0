with history as ({{ history() }}),

statistics as (
    select show_id, {{ days_between("day", day()) }} as days_ago, listeners, minutes_listened
    from {{ source("transformed", "show_statistics_daily") }}
    where day in ({{ day() }}, {{ day(-1) }}, {{ day(-7) }})
),

compared as (
    {%- for name, days_ago in [("yesterday", 1), ("week_before", 7)] %}
    {{ "union all" if not loop.first }}
    select
        '{{ name }}' as compared_with,
        show_id,
        {%- for measure in ["minutes_listened", "listeners"] %}
        coalesce(sum(case when days_ago = 0 then {{ measure }} end), 0) as {{ measure }},
        coalesce(sum(case when days_ago = {{ days_ago }} then {{ measure }} end), 0) as {{ measure }}_before
        {{- "," if not loop.last }}
        {%- endfor %}
    from statistics
    cross join history
    where days_ago in (0, {{ days_ago }}) and days_compared >= {{ days_ago }}
    group by show_id
    {%- endfor %}
),

changed as (
    select
        compared.*,
        minutes_listened - minutes_listened_before as minutes_listened_change,
        listeners - listeners_before as listeners_change
    from compared
),

moved as (
    select
        changed.*,
        {%- for measure in ["minutes_listened", "listeners"] %}
        {{ share(
            "abs(" ~ measure ~ "_change)", "sum(abs(" ~ measure ~ "_change)) over (partition by compared_with)"
        ) }} as {{ measure }}_change_share,
        sum({{ measure }}_change) over (partition by compared_with) as {{ measure }}_change_of_all,
        {%- endfor %}
        row_number() over (
            partition by compared_with order by abs(minutes_listened_change) desc, abs(listeners_change) desc, show_id
        ) as place,
        row_number() over (
            partition by compared_with order by abs(listeners_change) desc, abs(minutes_listened_change) desc, show_id
        ) as place_by_listeners
    from changed
),

catalog as ({{ shows_of_the_day() }})

select
    {{ day() }} as day,
    moved.*,
    catalog.title
from moved
left join catalog on catalog.show_id = moved.show_id
where (place <= 20 or place_by_listeners <= 20) and (minutes_listened_change <> 0 or listeners_change <> 0)
