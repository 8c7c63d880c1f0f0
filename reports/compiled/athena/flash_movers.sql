select
    cast(day as date) as day,
    cast(compared_with as varchar) as compared_with,
    cast(show_id as varchar) as show_id,
    cast(title as varchar) as title,
    cast(place as bigint) as place,
    cast(place_by_listeners as bigint) as place_by_listeners,
    cast(minutes_listened as decimal(18,3)) as minutes_listened,
    cast(minutes_listened_before as decimal(18,3)) as minutes_listened_before,
    cast(minutes_listened_change as decimal(18,3)) as minutes_listened_change,
    cast(minutes_listened_change_of_all as decimal(18,3)) as minutes_listened_change_of_all,
    cast(minutes_listened_change_share as double) as minutes_listened_change_share,
    cast(listeners as bigint) as listeners,
    cast(listeners_before as bigint) as listeners_before,
    cast(listeners_change as bigint) as listeners_change,
    cast(listeners_change_of_all as bigint) as listeners_change_of_all,
    cast(listeners_change_share as double) as listeners_change_share
from (
with history as (
    select least(28, coalesce(date_diff('day', min(day), cast('__DAY__' as date)), 0)) as days_compared
    from "__TRANSFORMED__"."show_statistics_daily"
    where day <= cast('__DAY__' as date)
),
statistics as (
    select show_id, date_diff('day', day, cast('__DAY__' as date)) as days_ago, listeners, minutes_listened
    from "__TRANSFORMED__"."show_statistics_daily"
    where day in (cast('__DAY__' as date), date_add('day', -1, cast('__DAY__' as date)), date_add('day', -7, cast('__DAY__' as date)))
),
compared as (
    select
        'yesterday' as compared_with,
        show_id,
        coalesce(sum(case when days_ago = 0 then minutes_listened end), 0) as minutes_listened,
        coalesce(sum(case when days_ago = 1 then minutes_listened end), 0) as minutes_listened_before,
        coalesce(sum(case when days_ago = 0 then listeners end), 0) as listeners,
        coalesce(sum(case when days_ago = 1 then listeners end), 0) as listeners_before
    from statistics
    cross join history
    where days_ago in (0, 1) and days_compared >= 1
    group by show_id
    union all
    select
        'week_before' as compared_with,
        show_id,
        coalesce(sum(case when days_ago = 0 then minutes_listened end), 0) as minutes_listened,
        coalesce(sum(case when days_ago = 7 then minutes_listened end), 0) as minutes_listened_before,
        coalesce(sum(case when days_ago = 0 then listeners end), 0) as listeners,
        coalesce(sum(case when days_ago = 7 then listeners end), 0) as listeners_before
    from statistics
    cross join history
    where days_ago in (0, 7) and days_compared >= 7
    group by show_id
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
        cast(abs(minutes_listened_change) as double) / nullif(cast(sum(abs(minutes_listened_change)) over (partition by compared_with) as double), 0) as minutes_listened_change_share,
        sum(minutes_listened_change) over (partition by compared_with) as minutes_listened_change_of_all,
        cast(abs(listeners_change) as double) / nullif(cast(sum(abs(listeners_change)) over (partition by compared_with) as double), 0) as listeners_change_share,
        sum(listeners_change) over (partition by compared_with) as listeners_change_of_all,
        row_number() over (
            partition by compared_with order by abs(minutes_listened_change) desc, abs(listeners_change) desc, show_id
        ) as place,
        row_number() over (
            partition by compared_with order by abs(listeners_change) desc, abs(minutes_listened_change) desc, show_id
        ) as place_by_listeners
    from changed
),
catalog as (
    select
        show_id,
        show_title as title,
        show_status as status,
        show_creator_key as creator_key,
        show_language as language,
        element_at(show_topics, 1) as topic
    from "__TRANSFORMED__"."show_history"
    where valid_from < cast(date_add('day', 1, cast('__DAY__' as date)) as timestamp) and (valid_to is null or valid_to >= cast(date_add('day', 1, cast('__DAY__' as date)) as timestamp))
)
select
    cast('__DAY__' as date) as day,
    moved.*,
    catalog.title
from moved
left join catalog on catalog.show_id = moved.show_id
where (place <= 20 or place_by_listeners <= 20) and (minutes_listened_change <> 0 or listeners_change <> 0)
) as result
