"""Hive types of crawled columns: read from DuckDB's, merged between files, spelled as the Data Catalog does.

It must not read files nor know what a crawler does with the columns.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

NOTHING = "null"
"""The type of a column that holds no value in any row; it gives way to every other and is written ``string``."""

_WHOLE = ("tinyint", "smallint", "int", "bigint")
_DECIMAL = re.compile(r"decimal\((\d+),(\d+)\)")
_LONGEST_DECIMAL = 38
_SCALARS = {
    "boolean": "boolean",
    "tinyint": "tinyint",
    "utinyint": "smallint",
    "smallint": "smallint",
    "usmallint": "int",
    "integer": "int",
    "uinteger": "bigint",
    "bigint": "bigint",
    "ubigint": "decimal(20,0)",
    "hugeint": "decimal(38,0)",
    "float": "float",
    "double": "double",
    "date": "date",
    "timestamp": "timestamp",
    "timestamp_s": "timestamp",
    "timestamp_ms": "timestamp",
    "timestamp_ns": "timestamp",
    "timestamp with time zone": "timestamp",
    "blob": "binary",
}
_MOMENTS = {"date", "timestamp"}


@dataclass(frozen=True, kw_only=True)
class Struct:
    """A struct; field names keep their case."""

    fields: Mapping[str, HiveType]


@dataclass(frozen=True, kw_only=True)
class Array:
    """An array."""

    item: HiveType


@dataclass(frozen=True, kw_only=True)
class Map:
    """A map."""

    key: HiveType
    value: HiveType


HiveType = str | Struct | Array | Map
Columns = Mapping[str, HiveType]


def from_duckdb(kind: Any, *, text: bool = False) -> HiveType:
    """The Hive type of a DuckDB type.

    Args:
        kind: a ``DuckDBPyType``.
        text: the data are text (JSON): moments are strings there, and whole numbers up to 64 bits ``bigint``.
    """
    match kind.id:
        case "struct":
            return Struct(fields={name: from_duckdb(inner, text=text) for name, inner in kind.children})
        case "list" | "array":
            return Array(item=from_duckdb(kind.children[0][1], text=text))
        case "map":
            (_, key), (_, value) = kind.children
            return Map(key=from_duckdb(key, text=text), value=from_duckdb(value, text=text))
        case "decimal":
            precision, scale = (value for _, value in kind.children)
            return f"decimal({precision},{scale})"
    found = _SCALARS.get(kind.id, "string")
    return "string" if text and found in _MOMENTS else found


def merged(one: HiveType, other: HiveType) -> HiveType:
    """A type that holds the values of both.

    The Glue guide ("Setting crawler configuration options") says that definitions of existing columns are modified,
    and not how. Chosen here: whole numbers widen to the longer, with fractions to ``double``, decimals to one that
    holds both, a date beside a timestamp to ``timestamp``, structs field by field; everything else is ``string``,
    which every value of a text file can be read as.
    """
    if one == other or other == NOTHING:
        return one
    if one == NOTHING:
        return other
    if isinstance(one, Struct) and isinstance(other, Struct):
        return Struct(fields=merged_columns(one.fields, other.fields))
    if isinstance(one, Array) and isinstance(other, Array):
        return Array(item=merged(one.item, other.item))
    if isinstance(one, Map) and isinstance(other, Map):
        return Map(key=merged(one.key, other.key), value=merged(one.value, other.value))
    if isinstance(one, str) and isinstance(other, str):
        return _merged_scalars(one, other)
    return "string"


def _merged_scalars(one: str, other: str) -> str:
    pair = {one, other}
    if pair <= {*_WHOLE}:
        return max(one, other, key=_WHOLE.index)
    if pair <= {*_WHOLE, "float", "double"}:
        return "double"
    if pair == _MOMENTS:
        return "timestamp"
    decimals = [_digits(name) for name in (one, other)]
    if all(decimals):
        (whole, scale), (other_whole, other_scale) = (digits for digits in decimals if digits)
        scale = max(scale, other_scale)
        precision = max(whole, other_whole) + scale
        return f"decimal({precision},{scale})" if precision <= _LONGEST_DECIMAL else "double"
    if any(_DECIMAL.fullmatch(name) for name in pair) and pair & {"float", "double"}:
        return "double"
    return "string"


def _digits(name: str) -> tuple[int, int] | None:
    """Digits before and after the point that a whole number or decimal may have."""
    if name in _WHOLE:
        return (3, 5, 10, 19)[_WHOLE.index(name)], 0
    found = _DECIMAL.fullmatch(name)
    return (int(found[1]) - int(found[2]), int(found[2])) if found else None


def merged_columns(*all_columns: Columns) -> dict[str, HiveType]:
    """Every column of each, in order of first appearance, its type the merged one."""
    found: dict[str, HiveType] = {}
    for columns in all_columns:
        for name, kind in columns.items():
            found[name] = merged(found[name], kind) if name in found else kind
    return found


def spelled(kind: HiveType) -> str:
    """The type as the Data Catalog keeps it, such as ``struct<name:string,tags:array<string>>``."""
    match kind:
        case Struct(fields=fields):
            return f"struct<{','.join(f'{name}:{spelled(inner)}' for name, inner in fields.items())}>"
        case Array(item=item):
            return f"array<{spelled(item)}>"
        case Map(key=key, value=value):
            return f"map<{spelled(key)},{spelled(value)}>"
    return "string" if kind == NOTHING else str(kind)


def catalog_columns(columns: Columns) -> list[dict[str, str]]:
    """The columns as the Data Catalog takes them."""
    return [{"Name": name, "Type": spelled(kind)} for name, kind in columns.items()]


def lower_case(names: Sequence[str], kinds: Sequence[HiveType]) -> dict[str, HiveType]:
    """Columns under lower-case names, which is how the Data Catalog keeps them; two that become one are merged."""
    return merged_columns(*({name.lower(): kind} for name, kind in zip(names, kinds, strict=True)))
