"""Data sets: for models, a new version of each, as table and as files that stay.

Begins on Tuesdays at 04:30 UTC: a row is as of a Monday and its labels settle eight days later, so that the Monday of
last week is the newest. With `as_of` the ten weeks before another hour are taken. What is there already is not made
again.

**When it fails:** clear it; what a killed run left is completed or, after three days, removed. Trainings go on with the
version before. docs/runbooks/a-dag-is-late.md
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG

from contracts.jobs import MODEL_DATA_SETS
from orchestration.defaults import as_of, clock, since, task_defaults
from orchestration.job_code import fix_code
from orchestration.job_tasks import run_jobs

with DAG(
    dag_id="data_sets",
    description="Data sets for models, as tables and as versions.",
    doc_md=__doc__,
    schedule=clock("30 4 * * TUE"),
    # Each run takes ten weeks: one that was missed lacks to nobody.
    **{**since(), "catchup": False},
    max_active_runs=1,
    default_args=task_defaults(),
    params=as_of(),
    tags={"lake", "schedule"},
):
    code = fix_code()
    run_jobs([MODEL_DATA_SETS], code=code, timeout=timedelta(hours=6))
