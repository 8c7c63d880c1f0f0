"""Rows of the lake's tables written down in tests, as Spark and DuckDB read them; computes nothing."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from contracts.jobs import JOBS
from contracts.lake_tables.events import EVENT_TABLES
from contracts.model import Table
from contracts.views.spark import schema_ddl

Row = dict[str, Any]
READ_BY_DERIVED_JOBS = tuple(name for name in EVENT_TABLES if any(EVENT_TABLES[name] in job.reads for job in JOBS))
KNOWN_ANSWERS = Path(__file__).with_name("known_answers")


def frame(spark: SparkSession, table: Table, rows: Iterable[Mapping[str, Any]]) -> DataFrame:
    """A frame of the table's columns; a column that a row lacks is null, moments are text in UTC."""
    lines = "\n".join(json.dumps(row) for row in rows)
    text = spark.sql("SELECT explode(filter(split(:lines, '\n'), line -> line <> '')) AS line", args={"lines": lines})
    return text.selectExpr(f"from_json(line, {_quoted(schema_ddl(table))}) AS row").select("row.*")


def views(connection: Any, events: Mapping[str, Iterable[Mapping[str, Any]]]) -> None:
    """Tables of the event types that jobs read in DuckDB, with the rows of `events`."""
    for name in READ_BY_DERIVED_JOBS:
        columns = {column.name: _duckdb_type(column.type) for column in EVENT_TABLES[name].columns}
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            file.write("".join(json.dumps(row) + "\n" for row in events.get(name, ())))
            file.flush()
            lines = connection.read_json(file.name, format="newline_delimited", columns=columns)
            connection.execute(f'CREATE OR REPLACE TABLE "{name}" AS FROM lines')
        assert lines.columns == list(columns)


def rows(frame: DataFrame, *, order: str | None = None) -> list[Row]:
    """The rows as plain values, see `plain`; in the order of a column or as they sort."""
    found = [plain(row.asDict(recursive=True)) for row in frame.collect()]
    return sorted(found, key=lambda row: str(row[order]) if order else json.dumps(row, sort_keys=True))


def duckdb_rows(connection: Any, sql: str, parameters: Mapping[str, Any] | None = None) -> list[Row]:
    """The rows of a query, as `rows` gives those of Spark."""
    cursor = connection.execute(sql, parameters) if parameters else connection.execute(sql)
    names = [column[0] for column in cursor.description]
    found = [plain(dict(zip(names, values, strict=True))) for values in cursor.fetchall()]
    return sorted(found, key=lambda row: json.dumps(row, sort_keys=True))


def plain(row: Mapping[str, Any]) -> Row:
    """A row with moments, days and decimals as text, so that rows of two engines and of a file can be compared."""
    return {name: _plain(value) for name, value in row.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.replace(tzinfo=None).isoformat(sep=" ")
    if isinstance(value, (date, Decimal)):
        return str(value)
    return value


def known(name: str) -> dict[str, Any]:
    """A case whose answer was worked out by hand."""
    case: dict[str, Any] = json.loads((KNOWN_ANSWERS / f"{name}.json").read_text())
    return case


def _duckdb_type(hive: str) -> str:
    if hive.startswith("array<struct"):
        return "JSON"
    if hive.startswith("array<"):
        return f"{_duckdb_type(hive.removeprefix('array<').removesuffix('>'))}[]"
    return "VARCHAR" if hive == "string" else hive.upper()


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
