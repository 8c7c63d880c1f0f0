"""Run compiled models on a DuckDB connection, a day at a time; reads no lake by itself and needs no dbt."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import duckdb

from contracts import lake_tables, report_tables
from contracts.events import by_type
from contracts.model import PARTITION_COLUMNS
from contracts.report import DATABASE, bound
from contracts.tables import QUARANTINE, UNKNOWN
from contracts.views import sql

COMPILED = Path(__file__).parent / "compiled"
_SHOWN = 5
"""Rows of a failure that are kept."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """A model in the order of a run: the dialects that have it, what it reads, and the tests that follow it."""

    model: str
    subject: str
    dialects: Sequence[str]
    models: Sequence[str]
    sources: Sequence[str]
    tests: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A test that found rows which should not be: how many, and the first of them, by column."""

    model: str
    test: str
    rows: int
    examples: Sequence[dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a run wrote, in rows by model, and what its tests found."""

    day: date
    rows: dict[str, int]
    failures: Sequence[Failure]


@cache
def order() -> tuple[Step, ...]:
    """All models, each after those that it reads."""
    return tuple(Step(**step) for step in json.loads((COMPILED / "order.json").read_text()))


def compiled(name: str, *, dialect: str) -> str:
    """A model's or, as `tests/NAME`, a test's statement, with placeholders; `contracts.report.bound` fills them."""
    return (COMPILED / dialect / f"{name}.sql").read_text()


def run(
    connection: duckdb.DuckDBPyConnection,
    *,
    day: date,
    as_of: datetime | None = None,
    models: Collection[str] | None = None,
) -> Outcome:
    """Write the rows of one day again whole and test them; a reader sees all models' old rows or all new ones.

    The connection has the sources in schemas called after their parts (`transformed.sessions`); tables of results are
    made in the schema `reports` where they are missing. `models` are those to run, all when absent; what they read of
    other models must be there. `as_of` is the moment of near-real-time models, the day's end when absent.

    Raises:
        ValueError: a name in `models` is none, or a table that is read is not there.
    """
    known = {step.model for step in order()}
    unknown = sorted(set(models or ()) - known)
    if unknown:
        raise ValueError(f"{unknown} are no models; given must be some of {sorted(known)}")
    steps = [step for step in order() if models is None or step.model in models]
    make_tables(connection, steps)
    _check_sources(connection, steps)
    rows: dict[str, int] = {}
    connection.execute("begin transaction")
    try:
        for step in steps:
            statement = bound(compiled(step.model, dialect="duckdb"), day=day, as_of=as_of)
            target = f'"{DATABASE}"."{step.model}"'
            connection.execute(f"delete from {target} where day = ?", [day])
            connection.execute(f"insert into {target} by name {statement}")
            rows[step.model] = _number(connection, f"select count(*) from {target} where day = ?", [day])
        connection.execute("commit")
    except BaseException:
        connection.execute("rollback")
        raise
    failures = [
        failure
        for step in steps
        for test in step.tests
        if (failure := _failure(connection, step.model, test, day=day, as_of=as_of))
    ]
    return Outcome(day=day, rows=rows, failures=failures)


def make_tables(connection: duckdb.DuckDBPyConnection, steps: Collection[Step] | None = None) -> None:
    """Make the tables of results that are missing, all when `steps` is absent."""
    connection.execute(f'create schema if not exists "{DATABASE}"')
    for step in order() if steps is None else steps:
        connection.execute(sql.create_in_duckdb(report_tables.by_name(step.model), schema=DATABASE))


def make_sources(connection: duckdb.DuckDBPyConnection) -> None:
    """Make every table that some model reads and that is missing, empty: nothing of its kind has come yet."""
    for name in sorted({source for step in order() for source in step.sources}):
        part, _, table = name.partition(".")
        connection.execute(f'create schema if not exists "{part}"')
        if part == "raw":
            statement = _create_raw(table)
        else:
            statement = sql.create_in_duckdb(lake_tables.by_name(name), schema=part)
        connection.execute(statement)


def _create_raw(name: str) -> str:
    if name == QUARANTINE.name:
        return sql.create_in_duckdb(QUARANTINE, schema="raw", partitions=PARTITION_COLUMNS)
    event = by_type(name)
    table = UNKNOWN if event is None else event.table
    return sql.create_in_duckdb(table, schema="raw", partitions=("arrival",))


def _check_sources(connection: duckdb.DuckDBPyConnection, steps: Collection[Step]) -> None:
    needed = {name for step in steps for name in step.sources}
    needed |= {f"{DATABASE}.{name}" for step in steps for name in step.models}
    found = connection.execute("select table_schema || '.' || table_name from information_schema.tables").fetchall()
    missing = sorted(needed - {name for (name,) in found})
    if missing:
        raise ValueError(
            f"models read {missing}, which the connection does not have; bring them there, run all models, or make "
            "what is empty with make_sources"
        )


def _failure(
    connection: duckdb.DuckDBPyConnection, model: str, test: str, *, day: date, as_of: datetime | None
) -> Failure | None:
    found = connection.execute(bound(compiled(f"tests/{test}", dialect="duckdb"), day=day, as_of=as_of))
    names = [column[0] for column in found.description or ()]
    rows = found.fetchall()
    if not rows:
        return None
    examples = [dict(zip(names, row, strict=True)) for row in rows[:_SHOWN]]
    return Failure(model=model, test=test, rows=len(rows), examples=examples)


def _number(connection: duckdb.DuckDBPyConnection, query: str, values: Sequence[object]) -> int:
    row = connection.execute(query, list(values)).fetchone()
    return int(row[0]) if row else 0
