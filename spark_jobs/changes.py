"""What a job can do to a table: the three changes that publishing knows; carries none out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from pyspark.sql import DataFrame


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What rows hold: how many, their UTC days, and how many keys are absent or there twice."""

    rows: int
    days: tuple[date, ...]
    null_keys: int
    repeated_keys: int


@dataclass(frozen=True, kw_only=True, eq=False)
class AddNew:
    """Add the rows whose key the table does not hold yet; what it holds stays as it is.

    `rows` hold each key once. With `by_day`, a timestamp column by whose days the table is partitioned, a row is
    compared with rows of its own UTC day only, so that the cost follows the days that are touched. `laid_out`: the
    rows are already spread over tasks as they shall be over files: those of one partition lie in as few as can be, and
    no task holds many partitions. They are read several times; whoever gives rows that are dear to compute persists
    them. `measured`: they were measured already, by
    `planning.measure` with the same day column.
    """

    rows: DataFrame
    by_day: str | None = None
    laid_out: bool = False
    measured: Measured | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Upsert:
    """Add rows, and replace those of the same key that differ; rows that are equal are not touched.

    `rows` hold each key once. `gone`, where given, holds the key columns of rows to remove; a key that is in `rows`
    too is not removed. On a table partitioned by days of a column that is part of the key (or `day_in_key`: that the
    key decides, such as a hash of it) only the days of `rows` and `gone` are read; `gone` then holds that column too.
    """

    rows: DataFrame
    gone: DataFrame | None = None
    day_in_key: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class Replace:
    """Put `rows` in the place of all rows for which `where` holds; whole partitions, or `true` for the whole table.

    `where` is SQL of comparisons of partition columns with literals, such as `day IN (DATE '2026-11-18')`; every row
    of `rows` satisfies it.
    """

    rows: DataFrame
    where: str


Change = AddNew | Upsert | Replace
