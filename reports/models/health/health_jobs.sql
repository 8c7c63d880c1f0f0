select
    {{ day() }} as day,
    job,
    count(*) as runs,
    sum(case when status = 'succeeded' then 1 else 0 end) as runs_succeeded,
    sum(case when status = 'failed' then 1 else 0 end) as runs_failed,
    sum(case when status = 'refused' then 1 else 0 end) as runs_refused,
    coalesce(sum(rows_in), 0) as rows_in,
    coalesce(sum(rows_out), 0) as rows_out,
    coalesce(sum(rows_rejected), 0) as rows_rejected,
    {# A file that is refused as a whole is one, and none of its rows were read. #}
    {{ share("coalesce(sum(rows_rejected), 0)", "coalesce(sum(greatest(rows_in, rows_rejected)), 0)") }} as rejected_share,
    max(duration_ms) as longest_ms
from {{ source("transformed", "job_runs") }}
where started_at >= {{ midnight() }} and started_at < {{ midnight(1) }} and job is not null
group by job
