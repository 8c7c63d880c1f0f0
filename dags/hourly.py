"""Hourly: raw events into typed tables, then what is worked out from them each hour.

Each run takes the last two full hours of arrival: the one before is looked at again for events that were delivered
late. What is there already is not added again. It begins ten minutes past the hour, because delivery holds events
back for a minute or two.

**When it fails:** the next hour's run takes this one's last hour too; hours before that need this run cleared, or the
DAG `backfill`. docs/runbooks/a-dag-is-late.md
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG

from contracts.jobs import EVENTS, TRENDING
from orchestration.defaults import as_of, clock, since, task_defaults
from orchestration.job_code import fix_code
from orchestration.job_tasks import run_jobs

with DAG(
    dag_id="hourly",
    description="Raw events into tables, and shows ranked by activity.",
    doc_md=__doc__,
    schedule=clock("10 * * * *"),
    **since(),
    max_active_runs=1,
    default_args=task_defaults(),
    params=as_of(),
    tags={"lake", "schedule"},
):
    code = fix_code()
    run_jobs([EVENTS, TRENDING], code=code, timeout=timedelta(hours=1))
