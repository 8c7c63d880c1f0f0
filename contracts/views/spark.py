"""Spark DDL of a table; runs no Spark."""

from __future__ import annotations

from contracts.model import Table


def schema_ddl(table: Table) -> str:
    """The table's columns as the schema string that `DataFrameReader.schema` takes.

    Every column is nullable there, because a reader of JSON never enforces more (Spark SQL guide, JSON files).
    """
    return ", ".join(
        f"`{column.name}` {column.type} COMMENT {_literal(column.description)}" for column in table.columns
    )


def _literal(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
