{#- Tables that are not of one event type: name, and the moment that says how new a row is. -#}
{%- set others = [
    ("sessions", "ended_at"), ("show_history", "valid_from"), ("show_statistics_daily", "day"),
    ("trending_shows", "as_of"), ("job_runs", "started_at"),
] -%}
{%- set usual = freshness_hours(event_types()[0]) -%}
with occurred as ({{ events_by_day(-28) }}),

counted as (
    select
        event_type as table_name,
        days_ago,
        count(*) as row_count,
        sum(case when arrived_ms - occurred_ms > 3600000 then 1 else 0 end) as late,
        max(occurred_ms) as newest_ms,
        max(schema_version) as schema_version
    from occurred
    group by event_type, days_ago
    {%- for name, moment in others %}
    union all
    select
        '{{ name }}' as table_name,
        {{ days_between(day_of(moment), day()) }} as days_ago,
        count(*) as row_count,
        cast(null as bigint) as late,
        max({{ epoch_ms(moment) }}) as newest_ms,
        cast(null as integer) as schema_version
    from {{ source("transformed", name) }}
    where {{ moment }} >= {{ midnight(-28) }} and {{ moment }} < {{ midnight(1) }}
    group by {{ day_of(moment) }}
    {%- endfor %}
),

tables as ({{ listed(event_types() + (others | map(attribute=0) | list), "table_name") }}),

reached as (
    select table_name, max(days_ago) as days_compared
    from counted
    group by table_name
),

measured as (
    select
        tables.table_name,
        coalesce(max(reached.days_compared), 0) as days_compared,
        {{ compared("row_count") }},
        sum(case when days_ago = 0 then late end) as late,
        max(newest_ms) as newest_ms,
        max(case when days_ago = 0 then schema_version end) as schema_version,
        max(case when days_ago > 0 then schema_version end) as schema_version_before
    from tables
    left join counted on counted.table_name = tables.table_name
    left join reached on reached.table_name = tables.table_name
    group by tables.table_name
),

rejected as (
    select source as table_name, count(*) as rejected
    from {{ source("personal", "rejected_rows") }}
    where rejected_at >= {{ midnight() }} and rejected_at < {{ midnight(1) }}
    group by source
)

select
    {{ day() }} as day,
    measured.table_name,
    measured.row_count,
    measured.row_count_yesterday,
    measured.row_count_week_before,
    measured.row_count_mean_28_days,
    measured.days_compared,
    {{ double(epoch_ms(midnight(1)) ~ " - measured.newest_ms") }} / 3600000 as hours_since_newest,
    case measured.table_name
        {%- for name, _ in others %}
        when '{{ name }}' then {{ freshness_hours(name) }}
        {%- endfor %}
        {%- for type in event_types() if freshness_hours(type) != usual %}
        when '{{ type }}' then {{ freshness_hours(type) }}
        {%- endfor %}
        else {{ usual }}
    end as freshness_hours,
    measured.late as rows_late,
    {{ share("measured.late", "measured.row_count") }} as late_share,
    coalesce(rejected.rejected, 0) as rows_rejected,
    {{ share("coalesce(rejected.rejected, 0)", "measured.row_count + coalesce(rejected.rejected, 0)") }} as rejected_share,
    measured.schema_version,
    measured.schema_version_before,
    measured.schema_version <> measured.schema_version_before as schema_changed
from measured
left join rejected on rejected.table_name = measured.table_name
