"""What must hold before readers see a change; measures and refuses, mends nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812

from contracts.jobs import JOBS, MAINTENANCE, RUN_RECORDS
from contracts.lake import LakeTable
from spark_jobs.planning import Plan

if TYPE_CHECKING:
    from spark_jobs.job import Run

CLIFF = 0.5
"""Share of its rows that a table, or the part of it that is written again, keeps at least."""
CLIFF_FROM_ROWS = 100
"""Below as many rows a share says nothing."""


class Refused(RuntimeError):
    """An expectation did not hold; what readers see has not changed."""


@dataclass(frozen=True, kw_only=True)
class Counts:
    """What Iceberg counted in the snapshot that was written, and in the one that readers see."""

    records_added: int
    rows_before: int
    rows_after: int


def expect_of_rows(table: LakeTable, plan: Plan) -> None:
    """Keys are present, and each is there once, in the rows that a job gives.

    Raises:
        Refused: they are not.
    """
    given = plan.given
    if given.null_keys:
        raise Refused(f"{table.full_name}: {given.null_keys} of {given.rows} rows have no {_key(table)}")
    if given.repeated_keys:
        raise Refused(f"{table.full_name}: {given.repeated_keys} of {given.rows} rows repeat another's {_key(table)}")


def expect_of_counts(table: LakeTable, plan: Plan, counts: Counts, *, accept_fewer_rows: bool) -> None:
    """As many rows were written as were worked out, and the table does not lose more than half of its rows.

    Raises:
        Refused: one of them does not hold.
    """
    if plan.records_added is not None and plan.records_added != counts.records_added:
        raise Refused(f"{table.full_name}: {counts.records_added} rows were written and {plan.records_added} expected")
    pairs = [("the table", counts.rows_before, counts.rows_after)]
    if plan.rows_in_scope_before is not None:
        pairs.append((f"the part with {plan.scope}", plan.rows_in_scope_before, plan.given.rows))
    for what, before, after in pairs:
        if before >= CLIFF_FROM_ROWS and after < before * CLIFF and not accept_fewer_rows:
            raise Refused(
                f"{table.full_name}: {what} would fall from {before} to {after} rows, below {CLIFF:.0%}; if that is "
                f"right, run the job again with --accept-fewer-rows"
            )


def expect_of_written(table: LakeTable, written: DataFrame) -> None:
    """Keys are present and unique in what was written, read back.

    Raises:
        Refused: they are not.
    """
    keys = [F.col(f"`{name}`") for name in table.key]
    found = written.agg(F.count(F.lit(1)).alias("rows"), F.count_distinct(*keys).alias("keys")).first()
    if found is not None and found["rows"] != found["keys"]:
        raise Refused(
            f"{table.full_name}: of {found['rows']} rows in the days that were written, "
            f"{found['rows'] - found['keys']} have no {_key(table)} or repeat another's"
        )


def expect_fresh(run: Run) -> None:
    """What the job reads is as new as its contract says: its makers' runs reach near the end of the window.

    What counts is the latest window that made the table, in transformed.job_runs: a quiet hour is fresh too. Of a
    table that no run is known to have made, nothing is expected.

    Raises:
        Refused: a table that the job reads is older than its `freshness_hours` before the window's end.
    """
    if not run.job.reads or not run.lake.exists(RUN_RECORDS):
        return
    ends = [F.unix_seconds(F.max(_made(table))).alias(table.full_name) for table in run.job.reads]
    reached = run.read(RUN_RECORDS).agg(*ends).first()
    for table in run.job.reads:
        seconds = reached[table.full_name] if reached else None
        if seconds is None:
            continue
        until = datetime.fromtimestamp(seconds, tz=UTC)
        if until < run.window.end - timedelta(hours=table.freshness_hours):
            raise Refused(
                f"{table.full_name} was last made for a window that ended at {until:%Y-%m-%dT%H}, more than "
                f"{table.freshness_hours} hours before the end {run.window.end:%Y-%m-%dT%H} of this one; run the job "
                f"that makes it first, or this one with --accept-stale"
            )


def _made(table: LakeTable) -> Column:
    """The end of a run's window where the run made the table: it published it, or ended well without a need to."""
    makers = [job.name for job in JOBS if table in job.writes and job is not MAINTENANCE]
    published = F.exists("tables", lambda one: one["table"] == table.full_name)
    all_types = F.col("types").isNull() | F.array_contains("types", table.name)
    well = (F.col("status") == "succeeded") & all_types
    return F.when(F.col("job").isin(makers) & (well | published), F.col("window_end"))


def _key(table: LakeTable) -> str:
    return " and ".join(table.key)
