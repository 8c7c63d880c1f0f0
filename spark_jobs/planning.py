"""Works out what a change comes to, against what readers see, and how it is written; commits nothing by itself.

Everything is read at one snapshot, and no further than the days that are touched where the table's key decides a
row's day.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql.types import DateType, MapType, StructType

from contracts.lake import LakeTable
from spark_jobs.changes import AddNew, Change, Measured, Replace, Upsert
from spark_jobs.lake import aligned

BROADCAST_ROWS = 1_000_000
"""Keys that are held in each executor's memory at most; beyond, they are joined by sorting."""
_DAY, _THERE, _GONE = "_day", "_there", "_gone"


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What readers see of a table when a change is worked out: its name in SQL and the snapshot, None without rows."""

    spark: SparkSession
    table: LakeTable
    name: str
    columns: StructType
    snapshot_id: int | None

    def rows(self, where: str | None = None) -> DataFrame:
        """The rows at the snapshot for which `where` holds."""
        if self.snapshot_id is None:
            return self.spark.createDataFrame(self.spark.sparkContext.emptyRDD(), self.columns)
        found = self.spark.read.option("snapshot-id", str(self.snapshot_id)).table(self.name)
        return aligned(found.where(where) if where else found, self.columns)


@dataclass(kw_only=True)
class Plan:
    """What a change comes to. `commit` writes it to a table name in SQL; None when there is nothing to do.

    `given` is what the change's rows hold. `scope` is SQL for the rows that the change can touch, None for all.
    `rows_in_scope_before` is set where a change puts a scope's rows in the place of others.
    """

    given: Measured
    rows_added: int = 0
    rows_removed: int = 0
    records_added: int | None = None
    rows_in_scope_before: int | None = None
    scope: str | None = None
    commit: Callable[[str], None] | None = None
    held: list[DataFrame] = field(default_factory=list)

    def release(self) -> None:
        """Free what was kept in memory for it."""
        for frame in self.held:
            frame.unpersist()


def plan(seen: Seen, change: Change) -> Plan:
    """Work a change out."""
    if isinstance(change, AddNew):
        return _add_new(seen, change)
    if isinstance(change, Upsert):
        return _upsert(seen, change)
    return _replace(seen, change)


def day_column(table: LakeTable) -> str | None:
    """The timestamp or date column by whose days the table is partitioned, if it is."""
    for partition in table.partition:
        name = partition.removeprefix("days(").removesuffix(")")
        if name in table.column and table.column[name].type in ("timestamp", "date"):
            return name
    return None


def within_days(column: str, days: Sequence[date], *, of_dates: bool) -> str:
    """SQL that holds on the given days: ranges of literals, which Iceberg turns into partitions to read.

    `column` is SQL; `of_dates` says that it holds dates, not timestamps.
    """
    word, form = ("DATE", "%Y-%m-%d") if of_dates else ("TIMESTAMP", "%Y-%m-%d 00:00:00")
    ranges: list[tuple[date, date]] = []
    for day in sorted(set(days)):
        if ranges and ranges[-1][1] == day:
            ranges[-1] = (ranges[-1][0], day + timedelta(days=1))
        else:
            ranges.append((day, day + timedelta(days=1)))
    parts = [
        f"({column} >= {word} '{start.strftime(form)}' AND {column} < {word} '{end.strftime(form)}')"
        for start, end in ranges
    ]
    return " OR ".join(parts) or "false"


def measure(rows: DataFrame, table: LakeTable, *, day: str | None, spread: Sequence[str] = ()) -> Measured:
    """Measure rows for a table in one pass; `day` is the timestamp or date column of their days.

    `spread`: columns by which the rows lie together already, and in which rows of one key agree; then no row is moved.
    """
    keys = [F.col(f"`{name}`") for name in table.key]
    any_null = F.greatest(*(key.isNull() for key in keys)) if len(keys) > 1 else keys[0].isNull()
    found = (
        rows.groupBy((F.to_date(F.col(day)) if day else F.lit(None).cast("date")).alias("of_day"), *spread)
        .agg(
            F.count(F.lit(1)).alias("rows"),
            F.count_if(any_null).alias("nulls"),
            F.count_distinct(*keys).alias("keys"),
        )
        .collect()
    )
    total = sum(one["rows"] for one in found)
    nulls = sum(one["nulls"] for one in found)
    return Measured(
        rows=total,
        days=tuple(sorted({one["of_day"] for one in found if one["of_day"] is not None})),
        null_keys=nulls,
        repeated_keys=total - nulls - sum(one["keys"] for one in found),
    )


def _add_new(seen: Seen, change: AddNew) -> Plan:
    table = seen.table
    given = change.measured or measure(change.rows, table, day=change.by_day)
    made = Plan(given=given)
    if not given.rows or given.null_keys or given.repeated_keys:
        return made
    on = list(table.key)
    if change.by_day:
        made.scope = within_days(f"`{change.by_day}`", given.days, of_dates=False)
        on.append(_DAY)

    def keyed(rows: DataFrame) -> DataFrame:
        return rows.withColumn(_DAY, F.to_date(F.col(change.by_day))) if change.by_day else rows

    rows = keyed(aligned(change.rows, seen.columns))
    known = 0
    if seen.snapshot_id is not None:
        there = keyed(seen.rows(made.scope)).select(*on)
        repeated = there.join(rows.select(*on), on=on, how="left_semi").distinct().persist()
        made.held.append(repeated)
        known = repeated.count()
        if known:
            small = known <= BROADCAST_ROWS
            rows = rows.join(F.broadcast(repeated) if small else repeated, on=on, how="left_anti")
            change = change if small else replace(change, laid_out=False)
    made.rows_added = made.records_added = given.rows - known
    if made.rows_added:
        rows = rows.select(*seen.columns.names)
        made.commit = lambda name: _append(rows, name, laid_out=change.laid_out)
    return made


def _upsert(seen: Seen, change: Upsert) -> Plan:
    table = seen.table
    day = day_column(table)
    if day not in table.key and not change.day_in_key:
        day = None
    rows = aligned(change.rows, seen.columns).persist()
    given = measure(rows, table, day=day)
    made = Plan(given=given, held=[rows])
    if given.null_keys or given.repeated_keys:
        return made
    days = list(given.days)
    gone = None
    if change.gone is not None:
        gone = change.gone.select(*table.key, *((day,) if day and day not in table.key else ())).distinct().persist()
        made.held.append(gone)
        if day:
            days += [one[_DAY] for one in gone.select(F.to_date(day).alias(_DAY)).distinct().collect()]
    touched = None
    if day:
        of_dates = isinstance(seen.columns[day].dataType, DateType)
        made.scope = within_days(f"`{day}`", days, of_dates=of_dates)
        touched = within_days(f"t.`{day}`", days, of_dates=of_dates)
    there = seen.rows(made.scope)
    work = _differing(rows, there, table).persist()
    made.held.append(work)
    counts = {one[_THERE]: one["count"] for one in work.groupBy(_THERE).count().collect()}
    added, replaced = counts.get(None, 0), counts.get(True, 0)
    source = work.select(*seen.columns.names, F.lit(False).alias(_GONE))
    if gone is not None:
        keys = list(table.key)
        leaving = gone.select(*keys).join(rows.select(*keys), on=keys, how="left_anti")
        leaving = leaving.join(there.select(*keys), on=keys, how="left_semi").persist()
        made.held.append(leaving)
        made.rows_removed = leaving.count()
        source = source.unionByName(aligned(leaving, seen.columns).withColumn(_GONE, F.lit(True)))
    made.rows_added = added + replaced
    if not replaced and not made.rows_removed:
        made.records_added = added
        if added:
            made.commit = lambda name: _append(source.drop(_GONE), name, laid_out=False)
        return made
    made.commit = lambda name: _merge(seen, source, name, touched)
    return made


def _replace(seen: Seen, change: Replace) -> Plan:
    table = seen.table
    rows = aligned(change.rows, seen.columns).persist()
    given = measure(rows, table, day=None)
    made = Plan(given=given, scope=change.where, held=[rows])
    if given.null_keys or given.repeated_keys:
        return made
    astray = given.rows - rows.where(change.where).count()
    if astray:
        raise ValueError(
            f"{astray} of the rows for {table.full_name} do not satisfy {change.where!r}, the condition of the rows "
            f"that they replace; they would be there twice when the run is repeated"
        )
    there = seen.rows(change.where).persist()
    made.held.append(there)
    keys = list(table.key)
    made.rows_in_scope_before = there.count()
    made.rows_added = _differing(rows, there, table).count()
    made.rows_removed = there.join(rows.select(*keys), on=keys, how="left_anti").count()
    made.records_added = given.rows
    if made.rows_added or made.rows_removed:
        made.commit = lambda name: rows.writeTo(name).overwrite(F.expr(change.where))
    return made


def _differing(rows: DataFrame, there: DataFrame, table: LakeTable) -> DataFrame:
    """The rows that are new (`_there` null) or unlike the row of their key (`_there` true)."""
    keys = list(table.key)
    others = [one for one in rows.schema if one.name not in keys]
    theirs = there.select(*keys, *(F.col(f"`{one.name}`").alias(f"_{one.name}") for one in others))
    differs: Column = F.lit(False)
    for one in others:
        mine, old = F.col(f"`{one.name}`"), F.col(f"`_{one.name}`")
        if isinstance(one.dataType, MapType):  # maps cannot be compared, and their order means nothing
            mine, old = F.array_sort(F.map_entries(mine)), F.array_sort(F.map_entries(old))
        differs = differs | ~mine.eqNullSafe(old)
    joined = rows.join(theirs.withColumn(_THERE, F.lit(True)), on=keys, how="left")
    return joined.where(F.col(_THERE).isNull() | differs).select(*rows.columns, _THERE)


def _append(rows: DataFrame, name: str, *, laid_out: bool) -> None:
    writer: Any = rows.writeTo(name)
    if laid_out:
        # A task's rows are of few partitions, each of which is then one file in whatever order they come.
        writer = writer.option("distribution-mode", "none").option("fanout-enabled", "true")
    writer.append()


def _merge(seen: Seen, source: DataFrame, name: str, touched: str | None) -> None:
    view = f"change_{uuid.uuid4().hex}"
    columns = [f"`{column}`" for column in seen.columns.names]
    on = " AND ".join(f"t.`{key}` = s.`{key}`" for key in seen.table.key)
    source.createOrReplaceTempView(view)
    try:
        clauses = (
            f"MERGE INTO {name} t USING {view} s ON {on}",
            f"AND ({touched})" if touched else "",
            f"WHEN MATCHED AND s.{_GONE} THEN DELETE",
            f"WHEN MATCHED THEN UPDATE SET {', '.join(f't.{column} = s.{column}' for column in columns)}",
            f"WHEN NOT MATCHED AND NOT s.{_GONE} THEN INSERT ({', '.join(columns)})",
            f"VALUES ({', '.join(f's.{column}' for column in columns)})",
        )
        seen.spark.sql(" ".join(clauses))
    finally:
        seen.spark.catalog.dropTempView(view)
