"""What of the events tables a window touches: what arrived in it, and when that happened; publishes nothing."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812 - the name that all of Spark's documentation uses

from spark_jobs.arguments import Arguments
from spark_jobs.window import Window

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def arrived_in(window: Window, arguments: Arguments, *, any_age: bool = False) -> Column:
    """Whether an event arrived in the window: that is what is new, whenever it happened.

    The bounds of `occurred_at` are those within which the events job takes an event (`max_days_late`,
    `max_days_early`); they let Iceberg leave other days unread. Events of `any_age` have none.
    """
    if any_age:
        return between("arrived_at", window.start, window.end)
    possible = between(
        "occurred_at",
        window.start - timedelta(days=arguments.max_days_late),
        window.end + timedelta(days=arguments.max_days_early),
    )
    return between("arrived_at", window.start, window.end) & possible


def between(column: str, start: datetime, end: datetime) -> Column:
    """Whether a timestamp column is from `start` on and before `end`, as literals that Iceberg prunes files by."""
    return (F.col(column) >= _literal(start)) & (F.col(column) < _literal(end))


def on_days(column: str, days: Iterable[date], *, longer: timedelta = timedelta()) -> Column:
    """Whether a timestamp column is on one of the UTC days, or up to `longer` after it; neighbours are joined."""
    stretches: list[tuple[date, date]] = []
    for day in sorted(set(days)):
        if stretches and stretches[-1][1] == day - timedelta(days=1):
            stretches[-1] = (stretches[-1][0], day)
        else:
            stretches.append((day, day))
    found = F.lit(False)
    for first, last in stretches:
        found |= between(column, _midnight(first), _midnight(last + timedelta(days=1)) + longer)
    return found


def bounds(rows: DataFrame, first: Column, last: Column) -> tuple[datetime, datetime] | None:
    """The least `first` and the greatest `last` of the rows, in UTC; None when there is no row. Runs a Spark job."""
    found = rows.agg(F.unix_micros(F.min(first)).alias("least"), F.unix_micros(F.max(last)).alias("greatest")).first()
    if found is None or found["least"] is None:
        return None
    return _EPOCH + timedelta(microseconds=found["least"]), _EPOCH + timedelta(microseconds=found["greatest"])


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _literal(moment: datetime) -> Column:
    return F.expr(f"TIMESTAMP '{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}'")
