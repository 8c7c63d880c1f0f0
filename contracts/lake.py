"""What a lake table is: columns with a key, a partitioning and a zone that says who may read it; declares none."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from contracts.model import Table


class Zone(StrEnum):
    """Where tables live, and so who may be let in: a Glue database and a prefix of a bucket each."""

    RAW = "raw"
    """As it arrived; holds personal values, shared with nobody."""
    TRANSFORMED = "transformed"
    """Made by jobs, without personal values: persons are keys. What is shared lies here."""
    PERSONAL = "personal"
    """Made by jobs, with personal values, joined to the others by the persons' keys; granted apart."""


@dataclass(frozen=True, kw_only=True, eq=False)
class LakeTable(Table):
    """An Iceberg table that jobs make.

    `key` are the columns that tell its rows apart, `partition` Iceberg transforms such as `days(occurred_at)`
    (Iceberg's Spark DDL page), `sort` the order of rows in a file. `freshness_hours` is how old its newest row may be
    when its job has run on schedule; `retention_days` how long rows stay (None: for ever).
    """

    key: tuple[str, ...]
    zone: Zone = Zone.TRANSFORMED
    partition: tuple[str, ...] = ()
    sort: tuple[str, ...] = ()
    freshness_hours: int = 24
    retention_days: int | None = None
    open: bool = False
    """Holds further columns: all that its source is found to hold."""

    def __post_init__(self) -> None:
        """Refuse a key that is no column, and personal columns where everybody reads."""
        super().__post_init__()
        missing = [name for name in (*self.key, *self.sort) if name not in self.column]
        if missing or not self.key:
            raise ValueError(f"lake table {self.name!r}: key and sort are columns, and {missing or 'no key'} is not")
        if self.zone is Zone.TRANSFORMED and self.personal_columns:
            raise ValueError(
                f"lake table {self.name!r} is shared and declares the personal columns {self.personal_columns}; "
                f"put them into a table of the personal zone"
            )

    @property
    def full_name(self) -> str:
        """Zone and name, such as `transformed.sessions`; unique among all lake tables."""
        return f"{self.zone}.{self.name}"

    @property
    def prefix(self) -> str:
        """Where the table's files lie in the transformed bucket."""
        return f"{self.zone}/{self.name}/"
