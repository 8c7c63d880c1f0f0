"""What holds for every DAG and task unless it says otherwise: retries, time-outs, who is told, when runs begin."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import Param
from airflow.timetables.trigger import CronTriggerTimetable

from contracts.jobs import Job
from orchestration import settings
from orchestration.alerts import count_failed, tell
from orchestration.windows import AS_OF, HOUR_PATTERN

OWNER = "data-platform"
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


def task_defaults() -> dict[str, Any]:
    """The `default_args` of every DAG: four attempts, 2, 4 and 8 minutes apart (about; Airflow spreads them).

    `amp.retry_seconds` says otherwise than 2 minutes. `execution_timeout` is of a task that asks and answers; one that
    waits for a run has its own.
    """
    return {
        "owner": OWNER,
        "retries": 3,
        "retry_delay": timedelta(seconds=settings.number("retry_seconds", default=120)),
        "retry_exponential_backoff": True,
        "max_retry_delay": timedelta(minutes=30),
        "execution_timeout": timedelta(minutes=10),
        "on_retry_callback": count_failed,
        "on_failure_callback": [count_failed, tell],
    }


def clock(cron: str) -> CronTriggerTimetable | None:
    """A run at each time that ``cron`` names, in UTC; none where `amp.schedules` is not on.

    A run's logical date is the time itself, from which windows are reckoned back.
    """
    return CronTriggerTimetable(cron, timezone="UTC") if settings.starts() == "on" else None


def since() -> dict[str, Any]:
    """From when on a DAG owes a run for each of its times: `amp.schedule_from` (a day such as 2026-11-18).

    With it Airflow makes up for each time that it missed while it stood still. Without it, a new environment begins
    with the present, and what was missed is for the backfill.

    Raises:
        settings.WrongSetting: it is no day.
    """
    text = settings.setting("schedule_from", default="")
    if not text:
        return {"start_date": EPOCH, "catchup": False}
    try:
        day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise settings.WrongSetting(
            f"Airflow's option amp.schedule_from is {text!r}; allowed: a day such as 2026-11-18"
        ) from None
    return {"start_date": day, "catchup": True}


def as_of() -> dict[str, Param]:
    """The parameter with which a person starts a run for another hour than the present one."""
    said = "Hour in UTC at which the windows end, such as 2026-11-18T08; empty: the hour of the run."
    return {AS_OF: Param(default=None, type=["null", "string"], pattern=HOUR_PATTERN, description=said)}


def makers(job: Job, among: list[Job]) -> list[Job]:
    """The jobs among those given that make what ``job`` reads, and so run before it."""
    return [other for other in among if other is not job and set(other.writes) & set(job.reads)]
