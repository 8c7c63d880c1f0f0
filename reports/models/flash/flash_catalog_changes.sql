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
        {%- for column in ["show_title", "show_status", "show_creator_key", "show_schedule_starts_at"] %}
        lag({{ column }}) over (partition by show_id order by valid_from) as {{ column }}_before
        {{- "," if not loop.last }}
        {%- endfor %}
    from {{ source("transformed", "show_history") }}
    where valid_from < {{ midnight(1) }}
)

select
    {{ day() }} as day,
    show_id,
    valid_from as changed_at,
    case
        when number = 1 then 'added'
        when show_status = 'withdrawn' and coalesce(show_status_before, '') <> 'withdrawn' then 'withdrawn'
        else 'changed'
    end as change,
    {{ joined("changed_columns") }} as changed_columns,
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
where valid_from >= {{ midnight() }}
