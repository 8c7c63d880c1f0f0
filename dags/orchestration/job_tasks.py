"""Lays the tasks of several jobs out in a DAG, in the order that the contracts give; submits nothing itself."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from contracts.jobs import Job
from orchestration.defaults import makers
from orchestration.lake_job import lake_job_class


def run_jobs(jobs: Sequence[Job], *, code: Any, timeout: timedelta) -> dict[str, Any]:
    """A task for each job, by the job's name, each after those that make what it reads.

    ``code`` is the answer of `fix_code`, ``timeout`` how long a run may take, waiting for its cluster among it.
    """
    operator = lake_job_class()
    tasks = {
        job.name: operator(task_id=job.name, job_name=job.name, code=code, execution_timeout=timeout) for job in jobs
    }
    in_order(jobs, tasks)
    return tasks


def in_order(jobs: Sequence[Job], tasks: dict[str, Any]) -> None:
    """Put each job's task after those that make what the job reads."""
    for job in jobs:
        for maker in makers(job, list(jobs)):
            tasks[maker.name] >> tasks[job.name]
