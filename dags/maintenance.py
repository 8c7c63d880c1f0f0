"""Maintenance: small files into large ones, old snapshots, rows and orphan files away.

Begins at 03:20 UTC, after the daily run. Nothing waits for it; a commit of another job that comes in between wins,
and maintenance tries again.

**When it fails:** the next night's run does it all. If it fails for days, readers get slower and storage grows.
docs/runbooks/a-dag-is-late.md
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG

from contracts.jobs import MAINTENANCE
from orchestration.defaults import clock, since, task_defaults
from orchestration.job_code import fix_code
from orchestration.job_tasks import run_jobs

with DAG(
    dag_id="maintenance",
    description="Compacts, expires and removes what no reader needs.",
    doc_md=__doc__,
    schedule=clock("20 3 * * *"),
    # A night that was missed is made up for by the next.
    **{**since(), "catchup": False},
    max_active_runs=1,
    default_args=task_defaults(),
    tags={"lake", "schedule"},
):
    code = fix_code()
    run_jobs([MAINTENANCE], code=code, timeout=timedelta(hours=6))
