select
    cast(day as date) as day,
    cast(show_id as varchar) as show_id,
    cast(changed_at as timestamp(6)) as changed_at,
    cast(change as varchar) as change,
    cast(changed_columns as varchar) as changed_columns,
    cast(version as bigint) as version,
    cast(title as varchar) as title,
    cast(title_before as varchar) as title_before,
    cast(status as varchar) as status,
    cast(status_before as varchar) as status_before,
    cast(creator_key as varchar) as creator_key,
    cast(creator_key_before as varchar) as creator_key_before,
    cast(schedule_starts_at as timestamp(6)) as schedule_starts_at,
    cast(schedule_starts_at_before as timestamp(6)) as schedule_starts_at_before
from (
with versions as (
    select
        show_id,
        valid_from,
        changed_columns,
        show_version,
        show_title,
        show_status,
        show_creator_key,
        show_schedule_starts_at,
        row_number() over (partition by show_id order by valid_from) as number,
        lag(show_title) over (partition by show_id order by valid_from) as show_title_before,
        lag(show_status) over (partition by show_id order by valid_from) as show_status_before,
        lag(show_creator_key) over (partition by show_id order by valid_from) as show_creator_key_before,
        lag(show_schedule_starts_at) over (partition by show_id order by valid_from) as show_schedule_starts_at_before
    from "__TRANSFORMED__"."show_history"
    where valid_from < cast(date_add('day', 1, cast('__DAY__' as date)) as timestamp)
)
select
    cast('__DAY__' as date) as day,
    show_id,
    valid_from as changed_at,
    case
        when number = 1 then 'added'
        when show_status = 'withdrawn' and coalesce(show_status_before, '') <> 'withdrawn' then 'withdrawn'
        else 'changed'
    end as change,
    array_join(changed_columns, ', ') as changed_columns,
    show_version as version,
    show_title as title,
    show_title_before as title_before,
    show_status as status,
    show_status_before as status_before,
    show_creator_key as creator_key,
    show_creator_key_before as creator_key_before,
    show_schedule_starts_at as schedule_starts_at,
    show_schedule_starts_at_before as schedule_starts_at_before
from versions
where valid_from >= cast(cast('__DAY__' as date) as timestamp)
) as result
