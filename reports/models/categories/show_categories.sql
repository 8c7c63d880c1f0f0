with ended as ({{ heard_intervals() }}),

pieces as ({{ heard_pieces() }}),

catalog as ({{ shows_of_the_day() }}),

hours as (
    {%- for hour in range(24) %}
    {{ "union all " if not loop.first }}select {{ hour }} as hour_of_day
    {%- endfor %}
),

placed as (
    select
        'topic' as dimension,
        coalesce(catalog.topic, 'unknown') as category,
        pieces.show_id,
        pieces.listener_key,
        pieces.until_ms - pieces.from_ms as heard_ms
    from pieces
    left join catalog on catalog.show_id = pieces.show_id
    union all
    select
        'language' as dimension,
        coalesce(catalog.language, 'unknown') as category,
        pieces.show_id,
        pieces.listener_key,
        pieces.until_ms - pieces.from_ms as heard_ms
    from pieces
    left join catalog on catalog.show_id = pieces.show_id
    union all
    select
        'hour' as dimension,
        case when hours.hour_of_day < 10 then '0' else '' end || cast(hours.hour_of_day as varchar(2)) as category,
        pieces.show_id,
        pieces.listener_key,
        least(pieces.until_ms, {{ epoch_ms(midnight()) }} + (hours.hour_of_day + 1) * 3600000)
            - greatest(pieces.from_ms, {{ epoch_ms(midnight()) }} + hours.hour_of_day * 3600000) as heard_ms
    from pieces
    inner join hours
        on pieces.from_ms < {{ epoch_ms(midnight()) }} + (hours.hour_of_day + 1) * 3600000
        and pieces.until_ms > {{ epoch_ms(midnight()) }} + hours.hour_of_day * 3600000
),

whole as (
    select sum(until_ms - from_ms) as heard_ms, count(distinct listener_key) as listeners
    from pieces
),

categories as (
    select
        dimension,
        category,
        count(distinct show_id) as shows,
        count(distinct listener_key) as listeners,
        sum(heard_ms) as heard_ms
    from placed
    group by dimension, category
)

select
    {{ day() }} as day,
    categories.dimension,
    categories.category,
    categories.shows,
    categories.listeners,
    {{ share("categories.listeners", "whole.listeners") }} as listeners_share,
    {{ minutes("categories.heard_ms") }} as minutes_listened,
    {{ share("categories.heard_ms", "whole.heard_ms") }} as minutes_listened_share
from categories
cross join whole
