"""Redshift DDL of a table; connects to no warehouse."""

from __future__ import annotations

from contracts import hive_types
from contracts.model import Table

VARCHAR_BYTES = 65_535
"""Longest VARCHAR (Amazon Redshift guide, character types)."""

_TYPES = {
    "string": f"VARCHAR({VARCHAR_BYTES})",
    "boolean": "BOOLEAN",
    "int": "INTEGER",
    "bigint": "BIGINT",
    "double": "DOUBLE PRECISION",
    "timestamp": "TIMESTAMP",
    "date": "DATE",
}


def create_table(table: Table, *, schema: str) -> str:
    """A CREATE TABLE statement; nested columns become SUPER, which Redshift queries with PartiQL."""
    lines = [
        f'    "{column.name}" {column_type(column.type)}{" NOT NULL" if column.required else ""}'
        for column in table.columns
    ]
    return (
        f'CREATE TABLE IF NOT EXISTS "{schema}"."{table.name}" (\n'
        + ",\n".join(lines)
        + "\n)\nDISTSTYLE AUTO\nSORTKEY AUTO;\n"
    )


def column_type(hive_type: str) -> str:
    """The Redshift type that holds every value of a Hive type."""
    parsed = hive_types.parse(hive_type)
    if isinstance(parsed, hive_types.Primitive):
        return _TYPES[parsed.name]
    if isinstance(parsed, hive_types.Decimal):
        return f"DECIMAL({parsed.precision},{parsed.scale})"
    return "SUPER"
