"""Backfill: jobs over hours or days that have passed, in pieces, started by a person.

`start` and `end` are hours in UTC, `end` not part of it. The window is cut into pieces of `piece_hours`. One piece of
a job runs at a time, in no order that is promised: each waits until no run of the job is under way, another piece's or
the schedule's, and whichever looks first then goes on. A piece that fails is cleared alone. Jobs that are not chosen
are skipped.

**Before:** docs/runbooks/backfill.md says what a window means for each job, and when the switches are right.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.exceptions import AirflowFailException
from airflow.sdk import DAG, Param, get_current_context, task

from contracts.jobs import BATCH_FILES, JOBS, MAINTENANCE, MODEL_DATA_SETS
from orchestration.defaults import since, task_defaults
from orchestration.job_code import fix_code
from orchestration.job_tasks import in_order
from orchestration.lake_job import lake_job_class
from orchestration.windows import HOUR_PATTERN, Hours

# Batch files need no window, maintenance is of the present alone, and a data set cut into pieces is none.
WINDOWED = [job for job in JOBS if job not in (BATCH_FILES, MODEL_DATA_SETS, MAINTENANCE)]
MOST_PIECES = 100
LONGEST_WAIT = timedelta(days=7)
"""How long an attempt of a piece waits for the runs before it."""


def pieces(params: dict[str, object], *, now: datetime) -> list[dict[str, str]]:
    """The windows that were asked for, each `{"start": …, "end": …}`.

    Raises:
        ValueError: there is none, one that has not begun, or more than Airflow should hold.
    """
    window = Hours.read(str(params["start"]), str(params["end"]))
    latest = now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    if window.end > latest:
        raise ValueError(f"end is {params['end']}, but its hour has not begun; allowed: {latest:%Y-%m-%dT%H} at most")
    cut = window.pieces(int(str(params["piece_hours"])))
    if len(cut) > MOST_PIECES:
        raise ValueError(f"that is {len(cut)} pieces; allowed: {MOST_PIECES}; fix: a larger piece_hours, or less time")
    return [piece.texts for piece in cut]


@task
def windows(job_name: str) -> list[dict[str, str]]:
    """The pieces of a job: none if it was not chosen. Wrong parameters fail at once, without further attempts."""
    params = get_current_context()["params"]
    try:
        cut = pieces(params, now=datetime.now(UTC))
    except ValueError as problem:
        raise AirflowFailException(str(problem)) from None
    return cut if job_name in params["jobs"] else []


with DAG(
    dag_id="backfill",
    description="Jobs over a time that has passed.",
    doc_md=__doc__,
    schedule=None,
    start_date=since()["start_date"],
    max_active_runs=1,
    default_args=task_defaults(),
    tags={"lake", "by hand"},
    params={
        "start": Param(type="string", pattern=HOUR_PATTERN, description="First hour in UTC, such as 2026-11-18T00."),
        "end": Param(type="string", pattern=HOUR_PATTERN, description="Hour at which it ends, not part of it."),
        "jobs": Param(
            default=[job.name for job in WINDOWED],
            type="array",
            items={"type": "string", "enum": [job.name for job in WINDOWED]},
            minItems=1,
            uniqueItems=True,
            description="Which jobs; they run in the order of what they read.",
        ),
        "piece_hours": Param(default=24, type="integer", minimum=1, maximum=168, description="Hours of a piece."),
        "accept_stale": Param(default=False, type="boolean", description="Work on tables that are not made so far."),
        "accept_fewer_rows": Param(default=False, type="boolean", description="Publish though rows fall by half."),
        "max_days_late": Param(default=7, type="integer", minimum=0, maximum=3660, description="Older is refused."),
    },
):
    code = fix_code()
    runs = {}
    for job in WINDOWED:
        cut = windows.override(task_id=f"{job.name}_windows")(job.name)
        runs[job.name] = (
            lake_job_class()
            .partial(
                task_id=job.name,
                job_name=job.name,
                code=code,
                arguments={
                    "--accept-stale": "{{ params.accept_stale | string | lower }}",
                    "--accept-fewer-rows": "{{ params.accept_fewer_rows | string | lower }}",
                    "--max-days-late": "{{ params.max_days_late }}",
                },
                # One piece at a time. Airflow's limit counts no task that waits in the triggerer, and so keeps only
                # those that look whether it is their turn from taking more than one worker.
                alone=True,
                # All pieces wait from the beginning; the last for all others.
                longest_wait=LONGEST_WAIT,
                max_active_tis_per_dagrun=1,
                # A job that was not chosen stops nothing.
                trigger_rule="none_failed",
                execution_timeout=timedelta(hours=12),
            )
            .expand(window=cut)
        )
    in_order(WINDOWED, runs)
