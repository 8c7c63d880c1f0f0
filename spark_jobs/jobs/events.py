"""Raw events of an arrival window into their tables; how a row is read and told apart is in transforms.events.

Each type is read and published by itself, some at a time, so that one that fails leaves the others alone. What is
personal of all types goes into one table at the end. Both hold each event by its key: a run that ended between them
is completed by running it again.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import reduce

from py4j.protocol import Py4JJavaError  # type: ignore[import-untyped]
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, Observation
from pyspark.sql import functions as F  # noqa: N812

from contracts.event import Event
from contracts.events import EVENTS
from contracts.lake_tables.events import EVENT_DETAILS, EVENT_TABLES
from contracts.reasons import Reason
from contracts.views.spark import literal, schema_ddl
from spark_jobs import sizing
from spark_jobs.changes import AddNew, Measured
from spark_jobs.job import Run
from spark_jobs.planning import measure
from spark_jobs.problems import Problems
from spark_jobs.raw_zone import RawFile
from transforms import events

_AT_ONCE = 4
"""Types that are worked on at a time at most: while one is planned or committed, cores work on others."""


@dataclass(kw_only=True)
class _Type:
    """What lies in the window of one event type."""

    event: Event
    files: list[RawFile]
    corrupt: dict[RawFile, str] = field(default_factory=dict)
    once: DataFrame | None = None
    measured: Measured | None = None
    personal_rows: int = 0

    @property
    def sound(self) -> list[RawFile]:
        """The files that are not known to be corrupt."""
        return [file for file in self.files if file not in self.corrupt]


def run(run: Run) -> None:
    """Take every event type's files of the window."""
    wanted = [event for event in EVENTS if not run.arguments.types or event.type in run.arguments.types]
    found = [_Type(event=event, files=_files(run, event)) for event in wanted]
    # The largest first, so that none of them is still running alone when all others are done.
    found = sorted((one for one in found if one.files), key=lambda one: -_bytes(one.files))
    if not found:
        return
    run.fit(_bytes(found[0].files))
    keys = run.person_keys()
    problems = Problems()
    workers = min(_AT_ONCE, 2 * run.spark.sparkContext.defaultParallelism)
    with ThreadPoolExecutor(max_workers=workers) as pool:
        list(pool.map(lambda one: problems.keep(one.event.type, lambda: _take(run, one, keys)), found))
    try:
        _take_details(run, [one for one in found if one.event.type not in problems.by_name], problems)
    finally:
        for one in found:
            if one.once is not None:
                one.once.unpersist()
    problems.tell()


def _files(run: Run, event: Event) -> list[RawFile]:
    by_hour = run.raw.arrivals(_prefix(event), run.window.arrivals)
    return [file for files in by_hour.values() for file in files]


def _take(run: Run, one: _Type, keys: DataFrame) -> None:
    table = EVENT_TABLES[one.event.type]
    run.record.read(files=len(one.files), bytes=_bytes(one.files))
    one.corrupt.update({file: "it is empty, which no gzip file is" for file in one.files if _cut_to_nothing(file)})
    refused = 0
    while one.sound and one.once is None:
        try:
            refused = _stage(run, one, keys)
        except (Py4JJavaError, PySparkException):
            if not _find_corrupt(run, one):
                raise
    if one.corrupt:
        run.reject(_corrupt_files(run, one))
    if one.once is None:
        return
    if refused:
        prefix = _prefix(one.event)
        key = F.concat(F.lit(prefix), F.substring_index("_metadata.file_path", prefix, -1))
        raw = _raw(run, one).withColumn("_file", key)
        run.reject(events.refused(raw, one.event, _clock(run, one.event)))
    rows = events.shared(one.once, one.event)
    change = AddNew(rows=rows, by_day="occurred_at", laid_out=True, measured=one.measured)
    run.publish(table, change)


def _stage(run: Run, one: _Type, keys: DataFrame) -> int:
    """Read the type's files and keep each event once; gives how many rows cannot be taken."""
    seen = Observation()
    counted = _raw(run, one).observe(
        seen, F.count(F.lit(1)).alias("rows"), F.count(events.reason_code(_clock(run, one.event))).alias("refused")
    )
    files_per_day = sizing.files_per_day(_bytes(one.files), days=len(run.window.days))
    held = Observation()
    once = (
        events.each_once(counted, one.event, _clock(run, one.event), keys, files_per_day=files_per_day)
        .observe(held, F.count(F.when(events.is_personal(), 1)).alias("personal"))
        .persist()
    )
    try:
        # The first look at the rows is what reads the files.
        one.measured = measure(once, EVENT_TABLES[one.event.type], day="occurred_at", spread=events.SPREAD)
    except BaseException:
        once.unpersist()
        raise
    one.once = once
    one.personal_rows = held.get["personal"]
    run.record.read(rows=seen.get["rows"])
    return int(seen.get["refused"])


def _raw(run: Run, one: _Type) -> DataFrame:
    # File by file: for a folder S3A first asks for an object of its name, which a role that may list by prefix alone is
    # answered with 403 (S3 API reference, HeadObject, Permissions).
    return (
        run.spark.read.schema(f"{schema_ddl(one.event.table)}, `{events.CORRUPT}` string")
        .option("columnNameOfCorruptRecord", events.CORRUPT)
        .json([file.uri for file in one.sound])
    )


def _find_corrupt(run: Run, one: _Type) -> bool:
    """Look through the files after reading failed; whether one was found that cannot be read."""
    found = {
        file: why for file in one.sound if file.key.endswith(".gz") and (why := run.raw.corrupt_gzip(file)) is not None
    }
    one.corrupt.update(found)
    return bool(found)


def _corrupt_files(run: Run, one: _Type) -> DataFrame:
    rows = [
        f"SELECT {literal(file.key)} AS file, {literal(f'{why}; mend or remove it and run the window again')} AS reason"
        for file, why in one.corrupt.items()
    ]
    return run.spark.sql(" UNION ALL ".join(rows)).withColumns(
        {"source": F.lit(one.event.type), "reason_code": F.lit(Reason.CORRUPT_FILE.value)}
    )


def _take_details(run: Run, taken: list[_Type], problems: Problems) -> None:
    # Few tasks a type, without an exchange, are few files: a type's personal rows of a month go into one partition.
    rows = [
        events.details(one.once).coalesce(sizing.files_per_day(_bytes(one.files), days=1))
        for one in taken
        if one.once is not None
    ]
    measured = [one.measured for one in taken if one.measured is not None]
    if not rows:
        return
    change = AddNew(
        rows=reduce(DataFrame.unionAll, rows),
        by_day="occurred_at",
        laid_out=True,
        measured=Measured(
            rows=sum(one.personal_rows for one in taken),
            days=tuple(sorted({day for one in measured for day in one.days})),
            null_keys=sum(one.null_keys for one in measured),
            repeated_keys=sum(one.repeated_keys for one in measured),
        ),
    )
    problems.keep(EVENT_DETAILS.name, lambda: run.publish(EVENT_DETAILS, change))


def _prefix(event: Event) -> str:
    return f"events/type={event.type}/"


def _cut_to_nothing(file: RawFile) -> bool:
    return not file.bytes and file.key.endswith(".gz")


def _bytes(files: list[RawFile]) -> int:
    return sum(file.bytes for file in files)


def _clock(run: Run, event: Event) -> events.Clock:
    return events.Clock(
        max_days_late=None if event.any_age else run.arguments.max_days_late,
        max_days_early=run.arguments.max_days_early,
    )
