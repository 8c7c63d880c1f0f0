"""The job `maintenance`: keeps tables fast and small; adds no row and changes none.

In this order, for each table by itself: rows past their retention go; small files of a partition become one; snapshots
that nobody needs any more expire, and with them the files that only they hold; files that no snapshot ever held (of
runs that died) go. What was removed can be read from older snapshots until these expire, not longer.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from pyspark.sql import Row

from contracts.datasets import DATASETS
from contracts.lake import LakeTable, Zone
from contracts.lake_tables import LAKE_TABLES
from contracts.lake_tables.datasets import all_of
from contracts.views.spark import literal
from spark_jobs.job import Run
from spark_jobs.problems import Problems
from spark_jobs.publishing import Outcome

_AT_ONCE = 4
"""Tables that are worked on at a time: most of the work is planning, which waits for one core each."""
MIN_INPUT_FILES = 2
"""Two files of a partition that are well below the target size become one."""


@dataclass(frozen=True, kw_only=True)
class Kept(Outcome):
    """What maintenance did to a table, with what it found."""

    files_before: int
    bytes_before: int
    bytes_now: int
    snapshots_before: int
    snapshots_now: int
    orphans_removed: int


def run(run: Run) -> None:
    """Maintain all tables that there are; one that fails leaves the others alone."""
    problems = Problems()
    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        list(pool.map(lambda table: problems.keep(table.full_name, partial(maintain, run, table)), tables(run)))
    problems.tell()


def tables(run: Run) -> list[LakeTable]:
    """The declared tables that exist, and those of uploads."""
    declared = [table for table in LAKE_TABLES if run.lake.exists(table)]
    return [*declared, *_uploads(run)]


def maintain(run: Run, table: LakeTable) -> None:
    """Do all of it for one table, and leave counts from before and after in the run record."""
    before = _Size.of(run, table)
    rows_removed = _remove_past_retention(run, table)
    files_added, files_removed, bytes_added = _compact(run, table)
    _expire(run, table, datetime.now(UTC) - timedelta(days=run.arguments.snapshot_days))
    orphans = _remove_orphans(run, table, datetime.now(UTC) - timedelta(days=run.arguments.orphan_days))
    after = _Size.of(run, table)
    run.record.published(
        Kept(
            table=table.full_name,
            snapshot_id=after.snapshot_id,
            rows_in=0,
            rows_added=0,
            rows_removed=rows_removed,
            files_added=files_added,
            files_removed=files_removed,
            bytes_added=bytes_added,
            rows_now=after.rows,
            files_now=after.files,
            files_before=before.files,
            bytes_before=before.bytes,
            bytes_now=after.bytes,
            snapshots_before=before.snapshots,
            snapshots_now=after.snapshots,
            orphans_removed=orphans,
        )
    )


def age_column(table: LakeTable) -> str:
    """The column by which the table is partitioned in time: it tells how old a row is.

    Raises:
        ValueError: there is none.
    """
    for partition in table.partition:
        name = partition.rpartition("(")[2].rstrip(")")
        if name in table.column and table.column[name].type in ("timestamp", "date"):
            return name
    raise ValueError(
        f"{table.full_name} keeps rows for {table.retention_days} days and no partition says how old a row is; "
        f"partition it by a timestamp or a date, or leave retention_days out"
    )


@dataclass(frozen=True, kw_only=True)
class _Size:
    """How large a table is: what readers see, and how many snapshots it keeps."""

    snapshot_id: int | None
    rows: int
    files: int
    bytes: int
    snapshots: int

    @classmethod
    def of(cls, run: Run, table: LakeTable) -> _Size:
        iceberg = run.lake.iceberg(table)
        current = iceberg.currentSnapshot()
        return cls(
            snapshot_id=current.snapshotId() if current else None,
            rows=_summary(current, "total-records"),
            files=_summary(current, "total-data-files"),
            bytes=_summary(current, "total-files-size"),
            snapshots=sum(1 for _ in iceberg.snapshots()),
        )


def _remove_past_retention(run: Run, table: LakeTable) -> int:
    """Remove rows of days that lie further back than the table keeps any; gives how many."""
    if table.retention_days is None:
        return 0
    column = age_column(table)
    # A window in the future, by a slip of the pen, makes nothing older.
    today = min(run.window.end, datetime.now(UTC))
    oldest = (today - timedelta(days=table.retention_days)).date()
    old = (
        f"`{column}` < DATE '{oldest}'" if table.column[column].type == "date" else f"`{column}` < TIMESTAMP '{oldest}'"
    )
    rows = run.spark.table(run.lake.name(table)).where(old).count()
    if rows:
        run.spark.sql(f"DELETE FROM {run.lake.name(table)} WHERE {old}")  # noqa: S608 - names and dates of our own
    return rows


def _compact(run: Run, table: LakeTable) -> tuple[int, int, int]:
    """Make one file of a partition's small ones, in the table's order; gives files added, files removed, bytes added.

    Files near the target size are left alone (Iceberg documentation, Spark procedures: rewrite_data_files).
    """
    if not run.lake.iceberg(table).currentSnapshot():
        return 0, 0, 0
    strategy = "sort" if table.sort else "binpack"
    done = _call(
        run,
        "rewrite_data_files",
        table,
        f"strategy => '{strategy}'",
        f"options => map('min-input-files', '{MIN_INPUT_FILES}', 'delete-file-threshold', '1')",
    )
    if not done["added_data_files_count"]:
        return 0, done["rewritten_data_files_count"], 0
    written = _summary(run.lake.iceberg(table).currentSnapshot(), "added-files-size")
    return done["added_data_files_count"], done["rewritten_data_files_count"], written


def _expire(run: Run, table: LakeTable, older_than: datetime) -> None:
    """Let snapshots go that are older, the last one never; queries that run on them fail, and so they stay for days."""
    made_at_ms = [snapshot.timestampMillis() for snapshot in run.lake.iceberg(table).snapshots()]
    if len(made_at_ms) > 1 and min(made_at_ms) < older_than.timestamp() * 1000:
        _call(run, "expire_snapshots", table, f"older_than => {_moment(older_than)}", "retain_last => 1")


def _remove_orphans(run: Run, table: LakeTable, older_than: datetime) -> int:
    """Remove files below the table's own folder that no snapshot holds; gives how many.

    Younger files may belong to a run that has not committed yet. The folder is given with its slash, so that a table
    whose name merely begins alike is never looked at.
    """
    folder = run.lake.iceberg(table).location().rstrip("/") + "/"
    removed = _rows(
        run, "remove_orphan_files", table, f"older_than => {_moment(older_than)}", f"location => {literal(folder)}"
    )
    return len(removed)


def _uploads(run: Run) -> Iterator[LakeTable]:
    for dataset in DATASETS:
        if not dataset.by_folder:
            continue
        prefix = f"{dataset.table_name}_"
        database = f"{run.lake.catalog}.{run.lake.database_prefix}_{Zone.PERSONAL}"
        if not run.spark.catalog.databaseExists(database):
            continue
        for row in run.spark.sql(f"SHOW TABLES IN {database} LIKE '{prefix}*'").collect():
            yield all_of(dataset, folder=row["tableName"].removeprefix(prefix))


def _call(run: Run, procedure: str, table: LakeTable, *arguments: str) -> Row:
    (row,) = _rows(run, procedure, table, *arguments)
    return row


def _rows(run: Run, procedure: str, table: LakeTable, *arguments: str) -> list[Row]:
    given = ", ".join((f"table => {literal(run.lake.name(table))}", *arguments))
    return run.spark.sql(f"CALL {run.lake.catalog}.system.{procedure}({given})").collect()


def _moment(moment: datetime) -> str:
    return f"TIMESTAMP '{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}'"


def _summary(snapshot: Any, name: str) -> int:
    return int(snapshot.summary().get(name) or 0) if snapshot else 0
