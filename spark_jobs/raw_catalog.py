"""What the crawlers found: the tables of the raw database, from the Glue Data Catalog; changes none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

_DEPRECATED = "DEPRECATED_BY_CRAWLER"
"""Set by a crawler, to epoch milliseconds, on a table whose files are gone (Glue guide: Setting crawler configuration
options, deletion behavior)."""


@dataclass(frozen=True, kw_only=True)
class RawTable:
    """A table as a crawler left it. `columns` are Hive types by name, `keys` the partition keys among them."""

    name: str
    location: str
    columns: Mapping[str, str]
    keys: tuple[str, ...] = ()
    parameters: Mapping[str, str] = field(default_factory=dict)

    @property
    def deprecated_at_ms(self) -> int | None:
        """When the crawler found all of its files gone, in epoch milliseconds; None while they are there."""
        text = self.parameters.get(_DEPRECATED, "")
        return int(text) if text.isdigit() else None

    @property
    def folder(self) -> str:
        """The last folder of its location, as it is written there."""
        return self.location.rstrip("/").rpartition("/")[2]


def raw_tables(glue: Any, database: str) -> list[RawTable]:
    """All tables of a database, by a boto3 Glue client (GetTables)."""
    pages: Iterable[Mapping[str, Any]] = glue.get_paginator("get_tables").paginate(DatabaseName=database)
    return [_table(one) for page in pages for one in page["TableList"]]


def _table(one: Mapping[str, Any]) -> RawTable:
    storage = one.get("StorageDescriptor", {})
    keys = one.get("PartitionKeys", [])
    return RawTable(
        name=one["Name"],
        location=storage.get("Location", ""),
        columns={column["Name"]: column.get("Type", "string") for column in (*storage.get("Columns", []), *keys)},
        keys=tuple(key["Name"] for key in keys),
        parameters={**storage.get("SerdeInfo", {}).get("Parameters", {}), **one.get("Parameters", {})},
    )
