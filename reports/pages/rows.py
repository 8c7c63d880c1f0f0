"""The rows that a page is made from, typed as the contracts say, whether they came as JSON or as Python values."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation

from contracts.report import ReportTable

Value = object
"""A value of a row: None, a string, a number, a date or a moment, or what JSON makes of them."""


class RowsError(ValueError):
    """Rows that are not those of their table; says which, where and how to fix it."""


class Row:
    """One row of a result table. A column that the row lacks is null; one that the table lacks is a mistake."""

    def __init__(self, table: ReportTable, values: Mapping[str, Value]) -> None:
        """Of `table`, from `values` by column."""
        self._table, self._values = table, values

    def __eq__(self, other: object) -> bool:
        """Two rows are equal when they are of one table and hold the same."""
        return isinstance(other, Row) and self._table is other._table and self._values == other._values

    def __hash__(self) -> int:
        """By table and day."""
        return hash((self._table.name, self.day))

    @property
    def day(self) -> date:
        """The day that the row is about."""
        day = self.date("day")
        if day is None:
            raise self._wrong("day", "a date such as 2026-11-21")
        return day

    def number(self, name: str) -> float | None:
        """A number; None where it is null, or no number (NaN)."""
        value = self._value(name)
        if value is None:
            return None
        if not isinstance(value, (int, float, Decimal, str)):
            raise self._wrong(name, "a number")
        try:
            number = float(Decimal(value) if isinstance(value, str) else value)
        except (InvalidOperation, ValueError):
            raise self._wrong(name, "a number") from None
        return number if math.isfinite(number) else None

    def text(self, name: str) -> str | None:
        """A text; None where it is null."""
        value = self._value(name)
        return None if value is None else str(value)

    def flag(self, name: str) -> bool | None:
        """True or false; None where it is null."""
        value = self._value(name)
        if isinstance(value, str) and value.lower() in ("true", "false"):
            return value.lower() == "true"
        if value is not None and not isinstance(value, bool):
            raise self._wrong(name, "true or false")
        return value

    def date(self, name: str) -> date | None:
        """A date; None where it is null."""
        value = self._value(name)
        try:
            if isinstance(value, datetime):
                return value.date()
            if value is None or isinstance(value, date):
                return value
            return date.fromisoformat(str(value)[:10])
        except ValueError:
            raise self._wrong(name, "a date such as 2026-11-21") from None

    def moment(self, name: str) -> datetime | None:
        """A moment in UTC; None where it is null. One without a time zone is taken to be UTC."""
        value = self._value(name)
        if value is None:
            return None
        try:
            moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value).removesuffix(" UTC"))
        except ValueError:
            raise self._wrong(name, "a moment such as 2026-11-21T20:15:00Z") from None
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)

    def has(self, name: str) -> bool:
        """Whether the table has this column."""
        return name in self._table.column

    def _value(self, name: str) -> Value:
        if name not in self._table.column:
            raise KeyError(f"{self._table.full_name} has no column {name!r}; it has {sorted(self._table.column)}")
        return self._values.get(name)

    def _wrong(self, name: str, allowed: str) -> RowsError:
        return RowsError(
            f"{self._table.name}: column {name!r}; given: {self._values.get(name)!r}; allowed: {allowed}, or null; "
            f"fix: write the table's rows again."
        )


class Rows:
    """Rows by table, for the page of one day: those of the day and those of the days before it."""

    def __init__(
        self, day: date, tables: Iterable[ReportTable], given: Mapping[str, Iterable[Mapping[str, Value]]]
    ) -> None:
        """Of `tables`, from `given` by the table's name. Rows of later days are left out: a page knows no future.

        A table that `given` lacks has no rows. RowsError when a row has no day.
        """
        self.day = day
        self._tables = {table.name: table for table in tables}
        self._by_day: dict[str, dict[date, list[Row]]] = {}
        for name, table in self._tables.items():
            by_day: dict[date, list[Row]] = {}
            for row in (Row(table, values) for values in given.get(name, ())):
                if row.day <= day:
                    by_day.setdefault(row.day, []).append(row)
            self._by_day[name] = by_day

    @property
    def tables(self) -> tuple[ReportTable, ...]:
        """The tables that the page reads."""
        return tuple(self._tables.values())

    def today(self, name: str) -> list[Row]:
        """The rows of the day, in the order in which they were given."""
        return self.on(self.day, name)

    def on(self, day: date, name: str) -> list[Row]:
        """The rows of one day, in the order in which they were given."""
        return self._by_day[name].get(day, [])

    def one(self, name: str) -> Row | None:
        """The only row of the day in a table of one row a day; None when there is none yet."""
        rows = self.today(name)
        if len(rows) > 1:
            raise RowsError(f"{name}: {len(rows)} rows of {self.day}; allowed: one; fix: write the day again.")
        return rows[0] if rows else None

    def of(self, day: date, name: str) -> Row | None:
        """The only row of another day; None when there is none."""
        return next(iter(self.on(day, name)), None)

    def days(self, count: int) -> list[date]:
        """The last `count` days, the page's own last."""
        return [self.day - timedelta(days=back) for back in range(count - 1, -1, -1)]

    def history(self, name: str, column: str, days: list[date]) -> list[float | None]:
        """A number of a table of one row a day, for each of `days`; None where it is null or there is no row."""
        found = [self.of(day, name) for day in days]
        return [row.number(column) if row else None for row in found]

    def last_day(self, name: str) -> date | None:
        """The last day, up to the page's own, of which the table has rows."""
        return max(self._by_day[name], default=None)


def parse(lines: Iterable[str], table: ReportTable, *, source: str) -> list[dict[str, Value]]:
    """The rows of a file of JSON lines; empty lines are skipped.

    RowsError names `source` and the line where one is no JSON object, or has a column that the table does not.
    """
    rows: list[dict[str, Value]] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise RowsError(
                f"{source}, line {number}: {error.msg}; allowed: one JSON object a line; fix: write the file again."
            ) from None
        if not isinstance(row, dict):
            raise RowsError(
                f"{source}, line {number}; given: {line.strip()[:60]}; allowed: one JSON object a line; fix: write the "
                "file again."
            )
        unknown = sorted(set(row) - set(table.column))
        if unknown:
            raise RowsError(
                f"{source}, line {number}; given: the columns {unknown}; allowed: those of {table.full_name}, "
                f"{sorted(table.column)}; fix: make the rows with this checkout's models."
            )
        rows.append(row)
    return rows
