"""What a result table of reports is, and how a compiled statement is bound to a day and a place; declares none."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from contracts.model import Column, Table

DATABASE = "reports"
"""The database of the result tables, beside those of the lake's zones."""
PARTS = ("raw", "transformed", "personal", DATABASE)
"""What compiled statements read from and write to, by the name that DuckDB has it under."""
DIALECTS = ("duckdb", "athena", "redshift")
"""What models are compiled for."""

DAY_PLACEHOLDER, AS_OF_PLACEHOLDER = "__DAY__", "__AS_OF__"
"""What stands in a compiled statement for the day and for the moment of near-real-time statements."""
_PLACEHOLDER = re.compile(r"__[A-Z]+(?:_[A-Z]+)*__")
_NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True, kw_only=True, eq=False)
class ReportTable(Table):
    """A table that reports are read from. Each run makes the rows of one day (UTC) and writes them again whole.

    `key` tells its rows apart and begins with `day`. `freshness_hours` is how long after the day's end its rows may
    be missing.
    """

    key: tuple[str, ...]
    freshness_hours: int = 4

    def __post_init__(self) -> None:
        """Refuse a table whose days could not be written again, and personal values, which no report holds."""
        super().__post_init__()
        missing = [name for name in self.key if name not in self.column]
        if missing or not self.key or self.key[0] != "day" or self.column["day"].type != "date":
            raise ValueError(
                f"report table {self.name!r}: the key {self.key} must be of its columns and begin with `day`, a date"
            )
        if self.personal_columns:
            raise ValueError(f"report table {self.name!r} declares the personal columns {self.personal_columns}")
        for column in self.columns:
            if column.name.endswith("_share") and column.type != "double":
                raise ValueError(f"report table {self.name!r}: the share {column.name!r} is {column.type}, not double")

    @property
    def full_name(self) -> str:
        """Database and name, such as `reports.flash_report`."""
        return f"{DATABASE}.{self.name}"

    @property
    def shares(self) -> tuple[str, ...]:
        """Names of the columns that are shares of a whole: null or from 0 to 1."""
        return tuple(column.name for column in self.columns if column.name.endswith("_share"))


DAY = Column(path="day", type="date", description="The UTC day that the row is about.")
"""The first column of every result table."""


def bound(statement: str, *, day: date, as_of: datetime | None = None, databases: Mapping[str, str] = {}) -> str:
    """A compiled statement for one day, over the databases (Redshift: schemas) of one place.

    `as_of` is the moment up to which near-real-time statements look, in UTC; the day's end when absent. `databases`
    names those of `PARTS` that are called otherwise. ValueError for a name that is none, for an `as_of` without a time
    zone, and for a statement that holds a placeholder nobody knows.
    """
    if isinstance(day, datetime):
        raise ValueError(f"day is {day!r}, a moment; give a date")
    unknown = sorted(set(databases) - set(PARTS))
    wrong = sorted(name for name in databases.values() if not _NAME.fullmatch(name))
    if unknown or wrong:
        raise ValueError(f"databases: {unknown or wrong} cannot be; given for {PARTS}, in lower snake case")
    if as_of is not None and as_of.tzinfo is None:
        raise ValueError(f"as_of is {as_of}, without a time zone; give a moment in UTC")
    moment = datetime.combine(day + timedelta(days=1), time(), UTC) if as_of is None else as_of.astimezone(UTC)
    values = {placeholder(part): databases.get(part, part) for part in PARTS}
    values[DAY_PLACEHOLDER] = day.isoformat()
    values[AS_OF_PLACEHOLDER] = moment.strftime("%Y-%m-%d %H:%M:%S")
    for name, value in values.items():
        statement = statement.replace(name, value)
    left = sorted(set(_PLACEHOLDER.findall(statement)))
    if left:
        raise ValueError(f"the statement holds the unknown placeholders {left}; known are {sorted(values)}")
    return statement


def placeholder(part: str) -> str:
    """What stands in a compiled statement for the database of one of `PARTS`."""
    return f"__{part.upper()}__"
