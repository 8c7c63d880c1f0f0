"""What must hold before readers see a change; measures and refuses, mends nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812

from contracts.lake import LakeTable
from spark_jobs.planning import Plan
from spark_jobs.window import Window

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


def expect_fresh(table: LakeTable, column: str, newest: date | datetime | None, window: Window) -> None:
    """The newest row is not older than the table's freshness before the window's start.

    Raises:
        Refused: it is.
    """
    oldest_allowed = window.start - timedelta(hours=table.freshness_hours)
    if newest is None or _moment(newest) < oldest_allowed:
        raise Refused(
            f"{table.full_name}: the newest {column} is {newest}, and should not be before {oldest_allowed} for a "
            f"window that starts at {window.start}; look at what the job reads"
        )


def _moment(value: date | datetime) -> datetime:
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    # A day is as new as its end.
    return datetime.combine(value + timedelta(days=1), time(), tzinfo=UTC)


def _key(table: LakeTable) -> str:
    return " and ".join(table.key)
