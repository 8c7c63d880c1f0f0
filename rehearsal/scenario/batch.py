"""The batch path of a rehearsal: files are dropped, crawlers catalogue them, jobs make tables; reads nothing back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from contracts.jobs import JOBS
from rehearsal.scenario.deployment import Deployed
from rehearsal.scenario.drops import Drop

JOB_TIMEOUT_S = 900.0

Progress = Callable[[str, str], None]


def drop(deployed: Deployed, drops: Sequence[Drop]) -> None:
    """Put the files into the raw bucket, as other teams' exports do."""
    s3 = deployed.engine.client("s3")
    for one in drops:
        s3.put_object(Bucket=deployed.raw_bucket, Key=one.key, Body=one.body)


@dataclass(frozen=True, kw_only=True)
class Window:
    """The arrival window that jobs are asked for: full hours in UTC, the end not part of it."""

    start: datetime
    end: datetime

    @classmethod
    def around(cls, first: datetime, last: datetime) -> Window:
        """The full hours from that of `first` to that of `last`."""
        start, end = (moment.replace(minute=0, second=0, microsecond=0) for moment in (first, last))
        return cls(start=start, end=end + timedelta(hours=1))


@dataclass(frozen=True, kw_only=True)
class Ran:
    """How Glue says that a run ended; `seconds` is the time it took."""

    job: str
    run_id: str
    state: str
    seconds: float
    error: str


ALL = tuple(job.name for job in JOBS if not job.data_sets)
"""Every job of a day, in the order in which it runs them; data sets are of weeks."""


def run_jobs(
    deployed: Deployed,
    window: Window,
    *,
    jobs: Sequence[str] = ALL,
    arguments: dict[str, dict[str, str]] | None = None,
    progress: Progress = lambda *_: None,
) -> list[Ran]:
    """Start each job with the window and wait for its end; a failed one does not keep the others from running."""
    glue = deployed.engine.client("glue")
    done = []
    for job in jobs:
        progress("jobs", job)
        name = deployed.job_names[job]
        given = {
            "--window-start": f"{window.start:%Y-%m-%dT%H}",
            "--window-end": f"{window.end:%Y-%m-%dT%H}",
            **(arguments or {}).get(job, {}),
        }
        run_id = glue.start_job_run(JobName=name, Arguments=given)["JobRunId"]
        deployed.engine.settle(timeout_s=JOB_TIMEOUT_S)
        # An attempt after a failed one is a run of its own; its id begins with that of the first.
        runs = [run for run in glue.get_job_runs(JobName=name)["JobRuns"] if run["Id"].startswith(run_id)]
        run = max(runs, key=lambda run: run.get("Attempt", 0))
        progress("jobs", f"{job} {run['JobRunState']} after {run.get('ExecutionTime', 0)} s")
        done.append(
            Ran(
                job=job,
                run_id=run_id,
                state=run["JobRunState"],
                seconds=float(run.get("ExecutionTime", 0)),
                error=run.get("ErrorMessage", ""),
            )
        )
    return done
