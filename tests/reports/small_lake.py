"""Fills the tables that models read with a few rows, and runs models on them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import count, groupby
from typing import Any

import duckdb

from contracts.lake_tables.listening import SHOW_STATISTICS_DAILY
from reports import running

Row = Mapping[str, Any]
DAY = date(2026, 11, 18)
"""The day that tests are about, a Wednesday."""


class SmallLake:
    """A connection with all sources, empty at first.

    A row is given by the columns that matter; the others are null. An event without an `event_id` gets one, and without
    `arrived_at` has arrived when it occurred.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.connection = connection
        self._ids = count()
        running.make_sources(connection)

    def fill(self, table: str, *rows: Row) -> None:
        """Add rows to a table such as `transformed.like`."""
        for names, alike in groupby(rows, key=_names):
            columns = ", ".join(f'"{name}"' for name in names)
            # As literals: DuckDB takes a tenth of a millisecond for each parameter.
            values = ", ".join(f"({', '.join(_literal(value) for value in row.values())})" for row in alike)
            self.connection.execute(f"insert into {table} ({columns}) values {values}")

    def happened(self, event_type: str, *events: Row) -> None:
        """Add events to the shared table of their type."""
        rows = []
        for event in events:
            filled = {"event_id": f"e-{next(self._ids)}", "event_type": event_type} | dict(event)
            filled.setdefault("arrived_at", filled["occurred_at"])
            rows.append(filled)
        self.fill(f"transformed.{event_type}", *rows)

    def heard(self, listener: str | None, show: str, start: datetime, end: datetime) -> None:
        """One interval that a listener heard of a show, reported at its end; nobody known when `listener` is None."""
        milliseconds = (end - start) // timedelta(milliseconds=1)
        self.happened(
            "playback_metric",
            {"user_key": listener, "show_id": show, "occurred_at": end, "playback_listened_ms": milliseconds},
        )

    def statistics(self, day: date, show: str, **counts: Any) -> None:
        """A row of statistics; counts that are not given are 0."""
        row = {column.name: 0 for column in SHOW_STATISTICS_DAILY.columns} | {"day": day, "show_id": show} | counts
        self.fill("transformed.show_statistics_daily", row)

    def show(self, show: str, valid_from: datetime, valid_to: datetime | None = None, **columns: Any) -> None:
        """A version of a show in its history."""
        self.fill(
            "transformed.show_history", {"show_id": show, "valid_from": valid_from, "valid_to": valid_to} | columns
        )

    def session(self, listener: str, show: str, start: datetime, end: datetime) -> None:
        """A listening session that was heard from its start to its end."""
        self.fill(
            "transformed.sessions",
            {
                "session_key": f"s-{next(self._ids)}", "listener_key": listener, "show_id": show,
                "started_at": start, "ended_at": end, "listened_ms": (end - start) // timedelta(milliseconds=1),
            },
        )  # fmt: skip

    def run(self, *models: str, day: date = DAY, as_of: datetime | None = None) -> list[dict[str, Any]]:
        """Run models, whose tests must hold, and give the last one's rows of the day in the order of its key."""
        outcome = running.run(self.connection, day=day, as_of=as_of, models=models)
        assert outcome.failures == []
        return self.rows(models[-1], day=day)

    def rows(self, model: str, *, day: date = DAY) -> list[dict[str, Any]]:
        """A result table's rows of a day, ordered by all of their columns."""
        found = self.connection.execute(f"select * from reports.{model} where day = ? order by all", [day])
        names = [column[0] for column in found.description or ()]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def _names(row: Row) -> tuple[str, ...]:
    return tuple(row)


def _literal(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, list):
        return f"[{', '.join(_literal(each) for each in value)}]"
    return str(value) if isinstance(value, int | float | Decimal) else "'" + str(value).replace("'", "''") + "'"


def at(text: str, *, day: date = DAY) -> datetime:
    """A moment of the day, as `08:30` or `08:30:15`."""
    return datetime.fromisoformat(f"{day.isoformat()}T{text}")


def days(number: int) -> date:
    """The day moved by a number of days."""
    return DAY + timedelta(days=number)
