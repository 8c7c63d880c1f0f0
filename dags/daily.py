"""Daily: shows, listening sessions and what happened in each show, for the days that ended.

Begins at 00:40 UTC, when the hourly run has taken the day's last events. If it has not, each job refuses to work on
what is not there yet, and its attempts go on for a quarter of an hour.

**When it fails:** clear the failed tasks once the hourly runs are through. docs/runbooks/a-dag-is-late.md
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG

from contracts.jobs import LISTENING_SESSIONS, SHOW_STATISTICS, SHOW_TABLES
from orchestration.defaults import as_of, clock, since, task_defaults
from orchestration.job_code import fix_code
from orchestration.job_tasks import run_jobs

with DAG(
    dag_id="daily",
    description="Shows, listening sessions and the statistics of shows.",
    doc_md=__doc__,
    schedule=clock("40 0 * * *"),
    **since(),
    max_active_runs=1,
    default_args=task_defaults(),
    params=as_of(),
    tags={"lake", "schedule"},
):
    code = fix_code()
    run_jobs([SHOW_TABLES, LISTENING_SESSIONS, SHOW_STATISTICS], code=code, timeout=timedelta(hours=3))
