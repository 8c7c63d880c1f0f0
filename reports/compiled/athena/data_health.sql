select
    cast(day as date) as day,
    cast(table_name as varchar) as table_name,
    cast(row_count as bigint) as row_count,
    cast(row_count_yesterday as bigint) as row_count_yesterday,
    cast(row_count_week_before as bigint) as row_count_week_before,
    cast(row_count_mean_28_days as double) as row_count_mean_28_days,
    cast(days_compared as bigint) as days_compared,
    cast(hours_since_newest as double) as hours_since_newest,
    cast(freshness_hours as bigint) as freshness_hours,
    cast(rows_late as bigint) as rows_late,
    cast(late_share as double) as late_share,
    cast(rows_rejected as bigint) as rows_rejected,
    cast(rejected_share as double) as rejected_share,
    cast(schema_version as integer) as schema_version,
    cast(schema_version_before as integer) as schema_version_before,
    cast(schema_changed as boolean) as schema_changed
from (
with occurred as (
    select
        event_type,
        date_diff('day', cast(occurred_at as date), cast('__DAY__' as date)) as days_ago,
        date_diff('millisecond', timestamp '1970-01-01 00:00:00', cast(occurred_at as timestamp(3))) as occurred_ms,
        date_diff('millisecond', timestamp '1970-01-01 00:00:00', cast(arrived_at as timestamp(3))) as arrived_ms,
        schema_version
    from (
        select 'show_catalog_entry' as event_type, occurred_at, arrived_at, schema_version
        from "__TRANSFORMED__"."show_catalog_entry" where occurred_at >= cast(date_add('day', -28, cast('__DAY__' as date)) as timestamp) and occurred_at < cast(date_add('day', 1, cast('__DAY__' as date)) as timestamp)
        union all select 'sign_up' as event_type, occurred_at, arrived_at, schema_version
        from "__TRANSFORMED__"."sign_up" where occurred_at >= cast(date_add('day', -28, cast('__DAY__' as date)) as timestamp) and occurred_at < cast(date_add('day', 1, cast('__DAY__' as date)) as timestamp)
        union all select 'app_opened' as event_type, occurred_at, arrived_at, schema_version
        from "__TRANSFORMED__"."app_opened" where occurred_at >= cast(date_add('day', -28, cast('__DAY__' as date)) as timestamp) and occurred_at < cast(date_add('day', 1, cast('__DAY__' as date)) as timestamp)
        union all select 'app_closed' as event_type, occurred_at, arrived_at, schema_version
        from "__TRANSFORMED__"."app_closed" where occurred_at >= cast(date_add('day', -28, cast('__DAY__' as date)) as timestamp) and occurred_at < cast(date_add('day', 1, cast('__DAY__' as date)) as timestamp)
        union all select 'show_impression' as event_type, occurred_at, arrived_at, schema_version
        from "__TRANSFORMED__"."show_impression" where occurred_at >= cast(date_add('day', -28, cast('__DAY__' as date)) as timestamp) and occurred_at < cast(date_add('day', 1, cast('__DAY__' as date)) as timestamp)
        union all select 'promotion_exposure' as event_type, occurred_at, arrived_at, schema_version
        from "__TRANSFORMED__"."promotion_exposure" where occurred_at >= cast(date_add('day', -28, cast('__DAY__' as date)) as timestamp) and occurred_at < cast(date_add('day', 1, cast('__DAY__' as date)) as timestamp)
        union all select 'experiment_exposure' as event_type, occurred_at, arrived_at, schema_version
        from "__TRANSFORMED__"."experiment_exposure" where occurred_at >= cast(date_add('day', -28, cast('__DAY__' as date)) as timestamp) and occurred_at < cast(date_add('day', 1, cast('__DAY__' as date)) as timestamp)
        union all select 'notification_delivered' as event_type, occurred_at, arrived_at, schema_version
        from "__TRANSFORMED__"."notification_delivered" where occurred_at >= cast(date_add('day', -28, cast('__DAY__' as date)) as timestamp) and occurred_at < cast(date_add('day', 1, cast('__DAY__' as date)) as timestamp)
        union all select 'notification_opened' as event_type, occurred_at, arrived_at, schema_version
        from "__TRANSFORMED__"."notification_opened" where occurred_at >= cast(date_add('day', -28, cast('__DAY__' as date)) as timestamp) and occurred_at < cast(date_add('day', 1, cast('__DAY__' as date)) as timestamp)
        union all select 'follow' as event_type, occurred_at, arrived_at, schema_version
        from "__TRANSFORMED__"."follow" where occurred_at >= cast(date_add('day', -28, cast('__DAY__' as date)) as timestamp) and occurred_at < cast(date_add('day', 1, cast('__DAY__' as date)) as timestamp)
        union all select 'activity_update' as event_type, occurred_at, arrived_at, schema_version
        from "__TRANSFORMED__"."activity_update" where occurred_at >= cast(date_add('day', -28, cast('__DAY__' as date)) as timestamp) and occurred_at < cast(date_add('day', 1, cast('__DAY__' as date)) as timestamp)
        union all select 'call_in' as event_type, occurred_at, arrived_at, schema_version
        from "__TRANSFORMED__"."call_in" where occurred_at >= cast(date_add('day', -28, cast('__DAY__' as date)) as timestamp) and occurred_at < cast(date_add('day', 1, cast('__DAY__' as date)) as timestamp)
        union all select 'co_host' as event_type, occurred_at, arrived_at, schema_version
        from "__TRANSFORMED__"."co_host" where occurred_at >= cast(date_add('day', -28, cast('__DAY__' as date)) as timestamp) and occurred_at < cast(date_add('day', 1, cast('__DAY__' as date)) as timestamp)
        union all select 'poll_vote' as event_type, occurred_at, arrived_at, schema_version
        from "__TRANSFORMED__"."poll_vote" where occurred_at >= cast(date_add('day', -28, cast('__DAY__' as date)) as timestamp) and occurred_at < cast(date_add('day', 1, cast('__DAY__' as date)) as timestamp)
        union all select 'chat_message' as event_type, occurred_at, arrived_at, schema_version
        from "__TRANSFORMED__"."chat_message" where occurred_at >= cast(date_add('day', -28, cast('__DAY__' as date)) as timestamp) and occurred_at < cast(date_add('day', 1, cast('__DAY__' as date)) as timestamp)
        union all select 'like' as event_type, occurred_at, arrived_at, schema_version
        from "__TRANSFORMED__"."like" where occurred_at >= cast(date_add('day', -28, cast('__DAY__' as date)) as timestamp) and occurred_at < cast(date_add('day', 1, cast('__DAY__' as date)) as timestamp)
        union all select 'listener_count' as event_type, occurred_at, arrived_at, schema_version
        from "__TRANSFORMED__"."listener_count" where occurred_at >= cast(date_add('day', -28, cast('__DAY__' as date)) as timestamp) and occurred_at < cast(date_add('day', 1, cast('__DAY__' as date)) as timestamp)
        union all select 'playback_metric' as event_type, occurred_at, arrived_at, schema_version
        from "__TRANSFORMED__"."playback_metric" where occurred_at >= cast(date_add('day', -28, cast('__DAY__' as date)) as timestamp) and occurred_at < cast(date_add('day', 1, cast('__DAY__' as date)) as timestamp)
        union all select 'click' as event_type, occurred_at, arrived_at, schema_version
        from "__TRANSFORMED__"."click" where occurred_at >= cast(date_add('day', -28, cast('__DAY__' as date)) as timestamp) and occurred_at < cast(date_add('day', 1, cast('__DAY__' as date)) as timestamp)
        union all select 'content_report' as event_type, occurred_at, arrived_at, schema_version
        from "__TRANSFORMED__"."content_report" where occurred_at >= cast(date_add('day', -28, cast('__DAY__' as date)) as timestamp) and occurred_at < cast(date_add('day', 1, cast('__DAY__' as date)) as timestamp)
        union all select 'moderation_decision' as event_type, occurred_at, arrived_at, schema_version
        from "__TRANSFORMED__"."moderation_decision" where occurred_at >= cast(date_add('day', -28, cast('__DAY__' as date)) as timestamp) and occurred_at < cast(date_add('day', 1, cast('__DAY__' as date)) as timestamp)
    ) as occurred
),
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
    union all
    select
        'sessions' as table_name,
        date_diff('day', cast(ended_at as date), cast('__DAY__' as date)) as days_ago,
        count(*) as row_count,
        cast(null as bigint) as late,
        max(date_diff('millisecond', timestamp '1970-01-01 00:00:00', cast(ended_at as timestamp(3)))) as newest_ms,
        cast(null as integer) as schema_version
    from "__TRANSFORMED__"."sessions"
    where ended_at >= cast(date_add('day', -28, cast('__DAY__' as date)) as timestamp) and ended_at < cast(date_add('day', 1, cast('__DAY__' as date)) as timestamp)
    group by cast(ended_at as date)
    union all
    select
        'show_history' as table_name,
        date_diff('day', cast(valid_from as date), cast('__DAY__' as date)) as days_ago,
        count(*) as row_count,
        cast(null as bigint) as late,
        max(date_diff('millisecond', timestamp '1970-01-01 00:00:00', cast(valid_from as timestamp(3)))) as newest_ms,
        cast(null as integer) as schema_version
    from "__TRANSFORMED__"."show_history"
    where valid_from >= cast(date_add('day', -28, cast('__DAY__' as date)) as timestamp) and valid_from < cast(date_add('day', 1, cast('__DAY__' as date)) as timestamp)
    group by cast(valid_from as date)
    union all
    select
        'show_statistics_daily' as table_name,
        date_diff('day', cast(day as date), cast('__DAY__' as date)) as days_ago,
        count(*) as row_count,
        cast(null as bigint) as late,
        max(date_diff('millisecond', timestamp '1970-01-01 00:00:00', cast(day as timestamp(3)))) as newest_ms,
        cast(null as integer) as schema_version
    from "__TRANSFORMED__"."show_statistics_daily"
    where day >= cast(date_add('day', -28, cast('__DAY__' as date)) as timestamp) and day < cast(date_add('day', 1, cast('__DAY__' as date)) as timestamp)
    group by cast(day as date)
    union all
    select
        'trending_shows' as table_name,
        date_diff('day', cast(as_of as date), cast('__DAY__' as date)) as days_ago,
        count(*) as row_count,
        cast(null as bigint) as late,
        max(date_diff('millisecond', timestamp '1970-01-01 00:00:00', cast(as_of as timestamp(3)))) as newest_ms,
        cast(null as integer) as schema_version
    from "__TRANSFORMED__"."trending_shows"
    where as_of >= cast(date_add('day', -28, cast('__DAY__' as date)) as timestamp) and as_of < cast(date_add('day', 1, cast('__DAY__' as date)) as timestamp)
    group by cast(as_of as date)
    union all
    select
        'job_runs' as table_name,
        date_diff('day', cast(started_at as date), cast('__DAY__' as date)) as days_ago,
        count(*) as row_count,
        cast(null as bigint) as late,
        max(date_diff('millisecond', timestamp '1970-01-01 00:00:00', cast(started_at as timestamp(3)))) as newest_ms,
        cast(null as integer) as schema_version
    from "__TRANSFORMED__"."job_runs"
    where started_at >= cast(date_add('day', -28, cast('__DAY__' as date)) as timestamp) and started_at < cast(date_add('day', 1, cast('__DAY__' as date)) as timestamp)
    group by cast(started_at as date)
),
tables as (
    select 'show_catalog_entry' as table_name
    union all select 'sign_up' as table_name
    union all select 'app_opened' as table_name
    union all select 'app_closed' as table_name
    union all select 'show_impression' as table_name
    union all select 'promotion_exposure' as table_name
    union all select 'experiment_exposure' as table_name
    union all select 'notification_delivered' as table_name
    union all select 'notification_opened' as table_name
    union all select 'follow' as table_name
    union all select 'activity_update' as table_name
    union all select 'call_in' as table_name
    union all select 'co_host' as table_name
    union all select 'poll_vote' as table_name
    union all select 'chat_message' as table_name
    union all select 'like' as table_name
    union all select 'listener_count' as table_name
    union all select 'playback_metric' as table_name
    union all select 'click' as table_name
    union all select 'content_report' as table_name
    union all select 'moderation_decision' as table_name
    union all select 'sessions' as table_name
    union all select 'show_history' as table_name
    union all select 'show_statistics_daily' as table_name
    union all select 'trending_shows' as table_name
    union all select 'job_runs' as table_name
),
reached as (
    select table_name, max(days_ago) as days_compared
    from counted
    group by table_name
),
measured as (
    select
        tables.table_name,
        coalesce(max(reached.days_compared), 0) as days_compared,
    coalesce(sum(case when days_ago = 0 then row_count end), 0) as row_count,
    case when max(days_compared) >= 1 then coalesce(sum(case when days_ago = 1 then row_count end), 0) end
        as row_count_yesterday,
    case when max(days_compared) >= 7 then coalesce(sum(case when days_ago = 7 then row_count end), 0) end
        as row_count_week_before,
    case when max(days_compared) >= 1 then
        cast(coalesce(sum(case when days_ago between 1 and 28 then row_count end), 0) as double) / max(days_compared)
    end as row_count_mean_28_days
,
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
    from "__PERSONAL__"."rejected_rows"
    where rejected_at >= cast(cast('__DAY__' as date) as timestamp) and rejected_at < cast(date_add('day', 1, cast('__DAY__' as date)) as timestamp)
    group by source
)
select
    cast('__DAY__' as date) as day,
    measured.table_name,
    measured.row_count,
    measured.row_count_yesterday,
    measured.row_count_week_before,
    measured.row_count_mean_28_days,
    measured.days_compared,
    cast(date_diff('millisecond', timestamp '1970-01-01 00:00:00', cast(cast(date_add('day', 1, cast('__DAY__' as date)) as timestamp) as timestamp(3))) - measured.newest_ms as double) / 3600000 as hours_since_newest,
    case measured.table_name
        when 'sessions' then 26
        when 'show_history' then 26
        when 'show_statistics_daily' then 26
        when 'trending_shows' then 2
        when 'job_runs' then 2
        else 2
    end as freshness_hours,
    measured.late as rows_late,
    cast(measured.late as double) / nullif(cast(measured.row_count as double), 0) as late_share,
    coalesce(rejected.rejected, 0) as rows_rejected,
    cast(coalesce(rejected.rejected, 0) as double) / nullif(cast(measured.row_count + coalesce(rejected.rejected, 0) as double), 0) as rejected_share,
    measured.schema_version,
    measured.schema_version_before,
    measured.schema_version <> measured.schema_version_before as schema_changed
from measured
left join rejected on rejected.table_name = measured.table_name
) as result
