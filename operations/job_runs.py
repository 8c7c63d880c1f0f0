"""The runs of a job that succeeded, wherever the stage's jobs run; it starts none and judges none.

A stage has Glue jobs, EMR on EKS, or both: then a run on either counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from config import naming
from config.model import Part
from contracts.jobs import JOBS, Job
from operations.platform import Platform


@dataclass(frozen=True, kw_only=True)
class Run:
    """A run that succeeded: when it was started (UTC), and its arguments by name, such as `--window-start`."""

    started: datetime
    arguments: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Engine:
    """What runs jobs, as people call it, and how it tells which runs of a job succeeded since a moment."""

    name: str
    succeeded: Callable[[Platform, Job, datetime], Iterator[Run]]


def engines_of(platform: Platform) -> tuple[Engine, ...]:
    """The engines that are deployed; none where the stage has no jobs."""
    return tuple(engine for part, engine in _ENGINES.items() if platform.has(part))


def succeeded_runs(platform: Platform, job: Job, *, since: datetime) -> Iterator[Run]:
    """The runs of ``job`` on every engine that were started at ``since`` (UTC) or later and succeeded."""
    for engine in engines_of(platform):
        yield from engine.succeeded(platform, job, since)


def _on_glue(platform: Platform, job: Job, since: datetime) -> Iterator[Run]:
    name = naming.job_name(stage=platform.stage, job=job.name)
    for page in platform.client("glue").get_paginator("get_job_runs").paginate(JobName=name):
        found = [(run, run["StartedOn"].astimezone(UTC)) for run in page["JobRuns"]]
        for run, started in found:
            if run["JobRunState"] == "SUCCEEDED" and started >= since:
                yield Run(started=started, arguments=run.get("Arguments", {}))
        # The newest runs come first.
        if found and all(started < since for _, started in found):
            return


def _on_emr(platform: Platform, job: Job, since: datetime) -> Iterator[Run]:
    """A virtual cluster has the runs of all jobs: which job one is of stands in its arguments, as its window does.

    The list leaves the arguments out, so that each run is asked for, but those that Airflow named after another job.
    """
    emr, cluster = platform.client("emr-containers"), platform.virtual_cluster_id
    others = tuple(f"{other.name}-" for other in JOBS if other.name != job.name)
    pages = emr.get_paginator("list_job_runs")
    for page in pages.paginate(virtualClusterId=cluster, states=["COMPLETED"], createdAfter=since):
        for listed in page["jobRuns"]:
            if listed.get("name", "").startswith(others):
                continue
            run = emr.describe_job_run(virtualClusterId=cluster, id=listed["id"])["jobRun"]
            given = run["jobDriver"].get("sparkSubmitJobDriver", {}).get("entryPointArguments", [])
            # All are names with a value behind; of a name that is given twice the last counts, as for the job.
            arguments = dict(zip(given[::2], given[1::2], strict=False))
            if arguments.get("--job") == job.name:
                yield Run(started=run["createdAt"].astimezone(UTC), arguments=arguments)


_ENGINES: Mapping[Part, Engine] = {
    Part.LAKE_JOBS: Engine(name="Glue", succeeded=_on_glue),
    Part.EMR_ON_EKS: Engine(name="EMR on EKS", succeeded=_on_emr),
}
