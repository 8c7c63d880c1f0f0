select
    cast(day as date) as day,
    cast(dimension as varchar(65535)) as dimension,
    cast(category as varchar(65535)) as category,
    cast(shows as bigint) as shows,
    cast(listeners as bigint) as listeners,
    cast(listeners_share as double precision) as listeners_share,
    cast(minutes_listened as decimal(18,3)) as minutes_listened,
    cast(minutes_listened_share as double precision) as minutes_listened_share
from (
with ended as (
    select listener_key, show_id, from_ms, until_ms, until_ms - 1 - mod(until_ms - 1, 86400000) as day_ms
    from (
        select
            coalesce(user_key, device_key) as listener_key,
            show_id,
            cast(datediff('millisecond', cast('1970-01-01' as timestamp), cast(occurred_at as timestamp)) as bigint) - least(playback_listened_ms, 43200000) as from_ms,
            cast(datediff('millisecond', cast('1970-01-01' as timestamp), cast(occurred_at as timestamp)) as bigint) as until_ms
        from "__TRANSFORMED__"."playback_metric"
        where playback_listened_ms > 0 and show_id is not null
            and occurred_at > cast(cast('__DAY__' as date) as timestamp) and occurred_at < cast((cast('__DAY__' as date) + 2) as timestamp)
    ) as intervals
),
pieces as (
    select listener_key, show_id, cast((cast(datediff('millisecond', cast('1970-01-01' as timestamp), cast(cast(cast('__DAY__' as date) as timestamp) as timestamp)) as bigint) - day_ms) / 86400000 as integer) as days_ago, from_ms, until_ms
    from (
        select listener_key, show_id, day_ms, greatest(from_ms, day_ms) as from_ms, until_ms from ended
        union all
        select listener_key, show_id, day_ms - 86400000 as day_ms, from_ms, day_ms as until_ms from ended where from_ms < day_ms
    ) as cut
    where day_ms >= cast(datediff('millisecond', cast('1970-01-01' as timestamp), cast(cast(cast('__DAY__' as date) as timestamp) as timestamp)) as bigint) and day_ms <= cast(datediff('millisecond', cast('1970-01-01' as timestamp), cast(cast(cast('__DAY__' as date) as timestamp) as timestamp)) as bigint)
),
catalog as (
    select
        show_id,
        show_title as title,
        show_status as status,
        show_creator_key as creator_key,
        show_language as language,
        cast(show_topics[0] as varchar) as topic
    from "__TRANSFORMED__"."show_history"
    where valid_from < cast((cast('__DAY__' as date) + 1) as timestamp) and (valid_to is null or valid_to >= cast((cast('__DAY__' as date) + 1) as timestamp))
),
hours as (
    select 0 as hour_of_day
    union all select 1 as hour_of_day
    union all select 2 as hour_of_day
    union all select 3 as hour_of_day
    union all select 4 as hour_of_day
    union all select 5 as hour_of_day
    union all select 6 as hour_of_day
    union all select 7 as hour_of_day
    union all select 8 as hour_of_day
    union all select 9 as hour_of_day
    union all select 10 as hour_of_day
    union all select 11 as hour_of_day
    union all select 12 as hour_of_day
    union all select 13 as hour_of_day
    union all select 14 as hour_of_day
    union all select 15 as hour_of_day
    union all select 16 as hour_of_day
    union all select 17 as hour_of_day
    union all select 18 as hour_of_day
    union all select 19 as hour_of_day
    union all select 20 as hour_of_day
    union all select 21 as hour_of_day
    union all select 22 as hour_of_day
    union all select 23 as hour_of_day
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
        least(pieces.until_ms, cast(datediff('millisecond', cast('1970-01-01' as timestamp), cast(cast(cast('__DAY__' as date) as timestamp) as timestamp)) as bigint) + (hours.hour_of_day + 1) * 3600000)
            - greatest(pieces.from_ms, cast(datediff('millisecond', cast('1970-01-01' as timestamp), cast(cast(cast('__DAY__' as date) as timestamp) as timestamp)) as bigint) + hours.hour_of_day * 3600000) as heard_ms
    from pieces
    inner join hours
        on pieces.from_ms < cast(datediff('millisecond', cast('1970-01-01' as timestamp), cast(cast(cast('__DAY__' as date) as timestamp) as timestamp)) as bigint) + (hours.hour_of_day + 1) * 3600000
        and pieces.until_ms > cast(datediff('millisecond', cast('1970-01-01' as timestamp), cast(cast(cast('__DAY__' as date) as timestamp) as timestamp)) as bigint) + hours.hour_of_day * 3600000
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
    cast('__DAY__' as date) as day,
    categories.dimension,
    categories.category,
    categories.shows,
    categories.listeners,
    cast(categories.listeners as double precision) / nullif(cast(whole.listeners as double precision), 0) as listeners_share,
    cast(cast((coalesce(categories.heard_ms, 0) + 30 - mod(coalesce(categories.heard_ms, 0) + 30, 60)) / 60 as double precision) / 1000 as decimal(18, 3)) as minutes_listened,
    cast(categories.heard_ms as double precision) / nullif(cast(whole.heard_ms as double precision), 0) as minutes_listened_share
from categories
cross join whole
) as result
