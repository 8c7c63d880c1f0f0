"""Reads what contenders wrote and compares it row by row, with DuckDB; judges no speed."""

# ruff: noqa: S608 - the SQL is made of names that contracts declare
from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from bench.contenders.output import DETAIL_COLUMNS, output

TIMES = {"occurred_at", "sent_at", "arrived_at"}
OF_A_DELIVERY = ("arrived_at", "sequence_number", "extra")
"""Columns in which the deliveries of one event differ."""


@dataclass(frozen=True, kw_only=True)
class Written:
    """Where a contender wrote its tables. `iceberg` is the prefix of its databases, None where they are folders.

    `any_delivery`: of an event delivered twice it keeps any delivery, not the first.
    """

    name: str
    folder: Path
    iceberg: str | None = None
    any_delivery: bool = False


@dataclass(frozen=True, kw_only=True)
class Files:
    """Data files that readers see: how many in all, in the fullest partition, and the bytes of all and the largest."""

    files: int
    most_in_a_partition: int
    bytes: int
    largest_bytes: int


def tables(types: Sequence[str]) -> tuple[str, ...]:
    """Zone and name of the tables that are compared."""
    return (*(f"transformed/{name}" for name in types), "personal/event_details")


def rows_that_differ(one: Written, other: Written, types: Sequence[str], *, scratch: Path) -> dict[str, int]:
    """Rows of either that the other does not have, as often as it has them, by table."""
    differing = {}
    any_delivery = one.any_delivery or other.any_delivery
    for table in tables(types):
        with _connection(scratch) as con:
            left, right = (_rows(con, written, table, any_delivery=any_delivery) for written in (one, other))
            found = con.execute(
                f"SELECT (SELECT count(*) FROM ({left} EXCEPT ALL {right})) "
                f"+ (SELECT count(*) FROM ({right} EXCEPT ALL {left}))"
            ).fetchone()
            assert found is not None  # noqa: S101 - counts always give a row
            differing[table] = int(found[0])
    return differing


def rows(written: Written, table: str, *, scratch: Path) -> int:
    """How many rows readers see."""
    with _connection(scratch) as con:
        found = con.execute(f"SELECT count(*) FROM {_source(written, table)}").fetchone()
        assert found is not None  # noqa: S101 - a count always gives a row
        return int(found[0])


def files(written: Written, types: Sequence[str], *, scratch: Path) -> Files:
    """The data files of all tables."""
    by_partition: dict[str, list[int]] = {}
    for table in tables(types):
        for path in _files(written, table, scratch):
            by_partition.setdefault(str(path.parent), []).append(path.stat().st_size)
    sizes = [size for found in by_partition.values() for size in found]
    return Files(
        files=len(sizes),
        most_in_a_partition=max(map(len, by_partition.values())),
        bytes=sum(sizes),
        largest_bytes=max(sizes),
    )


def _files(written: Written, table: str, scratch: Path) -> list[Path]:
    if written.iceberg is None:
        return list((written.folder / table).rglob("*.parquet"))
    with _connection(scratch) as con:
        found = con.execute(
            f"SELECT file_path FROM iceberg_metadata('{_metadata(written, table)}') "
            f"WHERE content = 'EXISTING' AND status != 'DELETED'"
        ).fetchall()
    return [Path(path.removeprefix("file:")) for (path,) in found]


def _rows(con: Any, written: Written, table: str, *, any_delivery: bool) -> str:
    """SQL of a table's rows in the form in which contenders' rows can be equal."""
    source = _source(written, table)
    name = table.partition("/")[2]
    columns = DETAIL_COLUMNS if name == "event_details" else output(name).shared
    parts = []
    for column in columns:
        if any_delivery and column in OF_A_DELIVERY:
            continue
        if column == "details":
            parts.append(f"{_entries(con, source, any_delivery=any_delivery)} AS details")
        else:
            parts.append(f"{column}::TIMESTAMP AS {column}" if column in TIMES else column)
    return f"SELECT {', '.join(parts)} FROM {source}"


def _entries(con: Any, source: str, *, any_delivery: bool) -> str:
    kind = con.execute(f"SELECT typeof(details) FROM {source} LIMIT 1").fetchone()
    entries = "map_entries(details)" if kind and kind[0].startswith("MAP") else "details"
    left_out = repr(OF_A_DELIVERY) if any_delivery else "('')"
    # Without an entry there is no map; the order of entries says nothing.
    kept = f"list_sort(list_filter({entries}, lambda entry: entry.key NOT IN {left_out}))"
    return f"CASE WHEN len({kept}) > 0 THEN {kept}::STRUCT(key VARCHAR, value VARCHAR)[] END"


def _source(written: Written, table: str) -> str:
    if written.iceberg is None:
        return f"read_parquet('{written.folder}/{table}/*/*.parquet', hive_partitioning = false)"
    return f"iceberg_scan('{_metadata(written, table)}')"


def _metadata(written: Written, table: str) -> Path:
    zone, _, name = table.partition("/")
    folder = written.folder / f"{written.iceberg}_{zone}" / name / "metadata"
    version = (folder / "version-hint.text").read_text("utf-8").strip()
    return folder / f"v{version}.metadata.json"


def _connection(scratch: Path) -> Any:
    con = duckdb.connect()
    con.execute("SET TimeZone = 'UTC'")
    con.execute("SET memory_limit = '6GB'")
    con.execute(f"SET temp_directory = '{scratch}'")
    for name in ("avro", "iceberg"):
        con.execute(f"LOAD '{_extension(name)}'")
    return con


def _extension(name: str) -> Path:
    """The extension's file in its wheel; installed so, DuckDB needs no network for it."""
    spec = importlib.util.find_spec(f"duckdb_extension_{name}")
    if spec is None or spec.origin is None:
        raise RuntimeError(f"the package duckdb-extension-{name} is not installed; make setup installs it")
    return next(Path(spec.origin).parent.rglob("*.duckdb_extension"))
