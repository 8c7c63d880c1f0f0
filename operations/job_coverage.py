"""Which hours with events no run of the job `events` has taken; it starts no run and reads no table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

from contracts.events import EVENTS
from contracts.jobs import EVENTS as EVENTS_JOB
from contracts.lake_tables.events import EVENT_TABLES
from operations.job_runs import succeeded_runs
from operations.platform import Platform
from operations.selection import HOUR_FORMAT, hour_of

_HOUR = timedelta(hours=1)
_PREFIXES = {event.type: f"events/type={event.type}/arrival=" for event in EVENTS}


def uncovered_hours(platform: Platform, *, hours: int) -> list[str]:
    """Arrival hours (`yyyy-MM-dd-HH`, UTC) that hold events which no successful run was for, in order.

    Looked at are the last ``hours`` hours, but for those that are not old enough for their tables to be late.
    """
    present = platform.now().replace(minute=0, second=0, microsecond=0)
    first = present - hours * _HOUR
    covered = _covered(platform, first)
    late: set[str] = set()
    for name in _PREFIXES:
        until = present - EVENT_TABLES[name].freshness_hours * _HOUR
        late |= {hour for hour in _hours_with_events(platform, name, first, until) if hour not in covered[name]}
    return sorted(late)


def _hours_with_events(platform: Platform, name: str, first: datetime, until: datetime) -> Iterator[str]:
    prefix = _PREFIXES[name]
    # Folders alone are listed, not the files in them.
    pages = (
        platform.client("s3")
        .get_paginator("list_objects_v2")
        .paginate(Bucket=platform.raw_bucket, Prefix=prefix, Delimiter="/", StartAfter=f"{prefix}{first:{HOUR_FORMAT}}")
    )
    for page in pages:
        for folder in page.get("CommonPrefixes", []):
            hour = str(folder["Prefix"]).removeprefix(prefix).rstrip("/")
            if f"{first:{HOUR_FORMAT}}" <= hour < f"{until:{HOUR_FORMAT}}":
                yield hour


def _covered(platform: Platform, first: datetime) -> dict[str, set[str]]:
    """Event type → the hours from `first` on that successful runs were for.

    A run has not taken an hour that was not over when it started, whatever its window says: more arrived after it had
    looked. So none from before `first` matters.
    """
    covered: dict[str, set[str]] = {name: set() for name in _PREFIXES}
    for run in succeeded_runs(platform, EVENTS_JOB, since=first):
        start, end = window_of(run.arguments, started=run.started)
        start, end = max(start, first), min(end, run.started.replace(minute=0, second=0, microsecond=0))
        taken = {f"{start + number * _HOUR:{HOUR_FORMAT}}" for number in range(int((end - start) / _HOUR))}
        types = {one.strip() for one in run.arguments.get("--types", "").split(",") if one.strip()}
        for event_type in types or covered:
            covered[event_type] |= taken
    return covered


def window_of(arguments: Mapping[str, str], *, started: datetime) -> tuple[datetime, datetime]:
    """First hour and end of the window of a run that began at ``started``, by its arguments, as the job reads them."""
    if "--window-start" in arguments:
        return _moment(arguments["--window-start"]), _moment(arguments["--window-end"])
    given = arguments.get("--as-of")
    end = _moment(given) if given else started.replace(minute=0, second=0, microsecond=0)
    if "--days" in arguments:
        end = end.replace(hour=0)
        return end - timedelta(days=int(arguments["--days"])), end
    return end - EVENTS_JOB.window_hours * _HOUR, end


def _moment(text: str) -> datetime:
    return datetime.strptime(hour_of(text), HOUR_FORMAT).replace(tzinfo=UTC)
