"""Fills the tables that models read with a few rows, and runs models on them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from itertools import count
from typing import Any

import duckdb

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
        for row in rows:
            columns = ", ".join(f'"{name}"' for name in row)
            values = ", ".join("?" for _ in row)
            self.connection.execute(f"insert into {table} ({columns}) values ({values})", list(row.values()))

    def happened(self, event_type: str, *events: Row) -> None:
        """Add events to the shared table of their type."""
        for event in events:
            filled = {"event_id": f"e-{next(self._ids)}", "event_type": event_type} | dict(event)
            filled.setdefault("arrived_at", filled["occurred_at"])
            self.fill(f"transformed.{event_type}", filled)

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


def at(text: str, *, day: date = DAY) -> datetime:
    """A moment of the day, as `08:30` or `08:30:15`."""
    return datetime.fromisoformat(f"{day.isoformat()}T{text}")
