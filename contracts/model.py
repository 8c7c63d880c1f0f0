"""The words that contracts are written in: columns and tables; holds no contract itself."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from contracts import hive_types

_NAME = re.compile(r"[a-z][a-z0-9_]{0,126}")
_PATH = re.compile(r"[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*)*")
PARTITION_COLUMNS = ("type", "arrival")
"""Partition columns of the raw zone (both strings); no data column may take their names."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Column:
    """One column: where it stands in the event, what it holds, whether it must be there and whether it is personal.

    `path` is the dotted place in the nested event (`device.os`); the column's `name` is that path in snake case
    (`device_os`). `personal` marks what erasure and masking must reach. `person_id` says that the value names a
    person, so that shared tables hold that person's key in its place; where it may name a thing as well, `thing_when`
    is the column that tells and the values that mean a thing, which shared tables may show. `examples` are real-looking
    values, in the form a producer sends them; samples and documentation take them.
    """

    path: str
    type: str
    description: str
    required: bool = False
    personal: bool = False
    person_id: bool = False
    thing_when: tuple[str, tuple[str, ...]] | None = None
    examples: tuple[object, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a column that no table could hold."""
        if self.person_id and not (self.personal and self.type == "string" and self.path.endswith("id")):
            raise ValueError(f"column {self.path!r}: a person_id is a personal string whose name ends in id")
        if self.thing_when and not self.person_id:
            raise ValueError(f"column {self.path!r}: thing_when says which values of a person_id are no person's")
        if not _PATH.fullmatch(self.path):
            raise ValueError(f"column path {self.path!r} is not a dotted path of names, such as 'device.os'")
        if not self.description.endswith("."):
            raise ValueError(f"column {self.path!r}: the description {self.description!r} is no sentence")
        hive_types.parse(self.type)

    @cached_property
    def name(self) -> str:
        """The column's name in every table."""
        return self.path.replace(".", "_").lower()

    @property
    def key_name(self) -> str:
        """For a `person_id`: the column that holds the person's key in shared tables (`user_id` → `user_key`)."""
        return f"{self.name.removesuffix('id')}key"

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """The object keys that lead to the value in the nested event."""
        return tuple(self.path.split("."))


@dataclass(frozen=True, kw_only=True, eq=False)
class Table:
    """Columns under one name. `grain` says what one row is; `owner` who answers for it."""

    name: str
    version: int
    owner: str
    description: str
    grain: str
    columns: tuple[Column, ...]

    def __post_init__(self) -> None:
        """Refuse names that a catalog would refuse and columns that would overwrite each other."""
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"table name {self.name!r} is not lower snake case of at most 127 characters")
        if self.version < 1:
            raise ValueError(f"table {self.name!r}: version {self.version} is below 1")
        taken: dict[str, str] = dict.fromkeys(PARTITION_COLUMNS, "a partition column")
        for column in self.columns:
            if column.name in taken:
                raise ValueError(
                    f"table {self.name!r}: the path {column.path!r} gives the column {column.name!r}, which is "
                    f"taken by {taken[column.name]}; rename one of them"
                )
            taken[column.name] = f"the path {column.path!r}"

    @cached_property
    def column(self) -> dict[str, Column]:
        """Columns by name."""
        return {column.name: column for column in self.columns}

    @property
    def personal_columns(self) -> tuple[str, ...]:
        """Names of the columns that erasure and masking must reach."""
        return tuple(column.name for column in self.columns if column.personal)
