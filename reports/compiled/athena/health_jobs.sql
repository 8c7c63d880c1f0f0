select
    cast(day as date) as day,
    cast(job as varchar) as job,
    cast(runs as bigint) as runs,
    cast(runs_succeeded as bigint) as runs_succeeded,
    cast(runs_failed as bigint) as runs_failed,
    cast(runs_refused as bigint) as runs_refused,
    cast(rows_in as bigint) as rows_in,
    cast(rows_out as bigint) as rows_out,
    cast(rows_rejected as bigint) as rows_rejected,
    cast(rejected_share as double) as rejected_share,
    cast(longest_ms as bigint) as longest_ms
from (
select
    cast('__DAY__' as date) as day,
    job,
    count(*) as runs,
    sum(case when status = 'succeeded' then 1 else 0 end) as runs_succeeded,
    sum(case when status = 'failed' then 1 else 0 end) as runs_failed,
    sum(case when status = 'refused' then 1 else 0 end) as runs_refused,
    coalesce(sum(rows_in), 0) as rows_in,
    coalesce(sum(rows_out), 0) as rows_out,
    coalesce(sum(rows_rejected), 0) as rows_rejected,
    cast(coalesce(sum(rows_rejected), 0) as double) / nullif(cast(coalesce(sum(greatest(rows_in, rows_rejected)), 0) as double), 0) as rejected_share,
    max(duration_ms) as longest_ms
from "__TRANSFORMED__"."job_runs"
where started_at >= cast(cast('__DAY__' as date) as timestamp) and started_at < cast(date_add('day', 1, cast('__DAY__' as date)) as timestamp) and job is not null
group by job
) as result
