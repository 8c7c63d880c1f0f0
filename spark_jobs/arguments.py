"""What the command line of a job may say; runs nothing."""

from __future__ import annotations

import argparse
import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NoReturn

from contracts.events import EVENTS
from contracts.jobs import JOBS, by_name
from spark_jobs.window import Window, read_hour

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_RUN_ID = re.compile(r"[A-Za-z0-9_.:-]{1,128}")
_EPILOG = """\
The window is one of: --window-start with --window-end; --days N, that many full days before today; neither: the
job's own number of hours before --as-of. Hours are written 2026-11-18T08 (UTC), a day 2026-11-18 is its first hour.
"""


class WrongArguments(ValueError):
    """The command line cannot be followed; the text says what was given, what is allowed and how to mend it."""


@dataclass(frozen=True, kw_only=True)
class Arguments:
    """A command line that was understood.

    `raw_root` and `transformed_root` end in a slash: `s3://bucket/`, or a folder. `max_days_late` and `max_days_early`
    bound how far an event's own time may lie before and after its arrival. `snapshot_days` and `orphan_days` are
    maintenance's: for how long snapshots stay readable, and how old a file must be to count as an orphan; of versions
    of data sets too.
    """

    job: str
    window: Window
    run_id: str
    raw_root: str
    catalog: str = "lake"
    database_prefix: str
    transformed_root: str | None = None
    person_key_secret: str | None = None
    readers_topic: str | None = None
    types: tuple[str, ...] = ()
    shuffle_partitions: int | None = None
    accept_fewer_rows: bool = False
    accept_stale: bool = False
    trust_event_time: bool = False
    max_days_late: int = 7
    max_days_early: int = 1
    snapshot_days: int = 3
    orphan_days: int = 3


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise WrongArguments(f"{message}; --help lists what is allowed")


def parser() -> argparse.ArgumentParser:
    """The parser of a job's command line."""
    made = _Parser(
        prog="python -m spark_jobs",
        description="Run one job of the lake on the Spark that this process is given.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = made.add_argument
    jobs = "; ".join(f"{job.name}: {job.description}" for job in JOBS)
    add("--job", required=True, choices=[job.name for job in JOBS], help=jobs)
    add("--raw-bucket", required=True, help="raw bucket: its name, s3://name/, or a folder")
    add("--database-prefix", required=True, help="what the databases' names begin with, such as amp_dev")
    add("--transformed-bucket", help="data_sets: transformed bucket: its name, s3://name/, or a folder")
    add("--catalog", default="lake", help="name of the Spark catalog that holds the tables (default: lake)")
    add("--window-start", help="first hour of the window")
    add("--window-end", help="hour at which the window ends, not part of it")
    add("--days", type=_number(1, 3_660), help="the window is this many full days before the day of --as-of")
    add("--as-of", help="hour at which the job's own window ends (default: the current hour)")
    add("--person-key-secret", help="ARN of the secret that persons' keys are made with")
    add("--readers-topic", help="ARN of the topic that tells readers of tables")
    add("--types", help="events: take these event types only, with commas between")
    add("--run-id", help="id of this run in transformed.job_runs (default: a random one)")
    add("--shuffle-partitions", type=_number(1, 100_000), help="in place of the number that follows from the input")
    for name, what in (
        ("--accept-fewer-rows", "publish though a table would lose more than half of its rows"),
        ("--accept-stale", "run though what the job reads was not made up to the window's end"),
        ("--trust-event-time", "data_sets: take events for known when they happened: for history that was imported"),
    ):
        add(name, nargs="?", const="true", default="false", choices=["true", "false"], help=what)
    add("--max-days-late", type=_number(0, 3_660), default=7, help="events: older ones are refused (default: 7)")
    add("--max-days-early", type=_number(0, 3_660), default=1, help="events: ones further ahead are refused (1)")
    add("--snapshot-days", type=_number(0, 365), default=3, help="maintenance: how long snapshots are kept (3)")
    add("--orphan-days", type=_number(1, 365), default=3, help="maintenance: age of files to count as orphans (3)")
    return made


def read(argv: Sequence[str], *, now: datetime) -> Arguments:
    """The arguments of a command line; `now` is the current moment.

    Raises:
        WrongArguments: they cannot be followed.
    """
    given = parser().parse_args(argv)
    for name in ("catalog", "database_prefix"):
        if not _NAME.fullmatch(getattr(given, name)):
            raise WrongArguments(
                f"--{name.replace('_', '-')} {getattr(given, name)!r} is no name; allowed: letters, digits and _"
            )
    run_id = given.run_id or str(uuid.uuid4())
    if not _RUN_ID.fullmatch(run_id):
        raise WrongArguments(f"--run-id {run_id!r}; allowed: 1 to 128 letters, digits and any of _ . : -")
    try:
        window = _window(given, now)
        window.refuse_future(now)
    except ValueError as error:
        raise WrongArguments(str(error)) from None
    return Arguments(
        job=given.job,
        window=window,
        run_id=run_id,
        raw_root=_root(given.raw_bucket),
        catalog=given.catalog,
        database_prefix=given.database_prefix,
        transformed_root=_root(given.transformed_bucket) if given.transformed_bucket else None,
        person_key_secret=given.person_key_secret or None,
        readers_topic=given.readers_topic or None,
        types=_types(given.types),
        shuffle_partitions=given.shuffle_partitions,
        accept_fewer_rows=given.accept_fewer_rows == "true",
        accept_stale=given.accept_stale == "true",
        trust_event_time=given.trust_event_time == "true",
        max_days_late=given.max_days_late,
        max_days_early=given.max_days_early,
        snapshot_days=given.snapshot_days,
        orphan_days=given.orphan_days,
    )


def _window(given: argparse.Namespace, now: datetime) -> Window:
    if bool(given.window_start) != bool(given.window_end):
        raise ValueError("--window-start and --window-end go together; one of them is missing")
    if given.window_start and (given.days or given.as_of):
        raise ValueError("--window-start with --days or --as-of; a window is said in one way")
    if given.window_start:
        return Window(start=read_hour(given.window_start), end=read_hour(given.window_end))
    end = read_hour(given.as_of) if given.as_of else now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    if given.days:
        end = end.replace(hour=0)
        return Window(start=end - timedelta(days=given.days), end=end)
    job = by_name(given.job)
    assert job is not None  # noqa: S101 - the parser allows declared jobs alone
    return Window(start=end - timedelta(hours=job.window_hours), end=end)


def _root(bucket: str) -> str:
    if "/" not in bucket:
        bucket = f"s3://{bucket}"
    return bucket if bucket.endswith("/") else f"{bucket}/"


def _types(text: str | None) -> tuple[str, ...]:
    known = {event.type for event in EVENTS}
    types = tuple(part.strip() for part in (text or "").split(",") if part.strip())
    strange = sorted(set(types) - known)
    if strange:
        raise WrongArguments(f"--types names {', '.join(strange)}; allowed: {', '.join(sorted(known))}")
    return types


def _number(least: int, most: int) -> argparse._ActionType:  # the name that typeshed has for it
    def number(text: str) -> int:
        value = int(text)
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"{value} is not between {least} and {most}")
        return value

    return number
