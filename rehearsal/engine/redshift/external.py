"""External schemas as PostgreSQL schemas: one empty table for each table of a Glue database. Nothing reads files."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rehearsal.engine.redshift.form import ExternalSchema
from rehearsal.engine.redshift.reading import literal, quoted

# Amazon Redshift Database Developer Guide, "CREATE EXTERNAL TABLE", data types; nested ones are read as SUPER.
_TYPES = {
    "boolean": "boolean", "tinyint": "smallint", "smallint": "smallint", "int": "integer", "integer": "integer",
    "bigint": "bigint", "float": "real", "double": "double precision", "date": "date", "timestamp": "timestamp",
    "string": "varchar(65535)", "binary": "bytea",
}  # fmt: skip
_SIZED = re.compile(r"(decimal|varchar|char)\s*\(\s*[\d\s,]+\)")


@dataclass(frozen=True, kw_only=True)
class ExternalTable:
    """A table of the Glue Data Catalog: columns as name and Hive type, partition keys at the end."""

    name: str
    columns: tuple[tuple[str, str], ...]


def column_type(hive_type: str) -> str:
    """PostgreSQL's type for a Hive type; nested types become ``jsonb``."""
    plain = hive_type.strip().lower()
    return plain if _SIZED.fullmatch(plain) else _TYPES.get(plain, "jsonb")


def external_schema_sql(schema: ExternalSchema, tables: Sequence[ExternalTable]) -> list[str]:
    """What fills a schema that exists with the tables, and notes that it is external.

    Everybody may select from the tables: in Redshift USAGE on the schema is the right to them (Amazon Redshift
    Database Developer Guide, "GRANT": permissions on single external tables cannot be granted).
    """
    name = quoted(schema.name)
    steps = [
        f"CREATE TABLE {name}.{quoted(table.name)} "
        f"({', '.join(f'{quoted(column)} {column_type(kind)}' for column, kind in table.columns)})"
        for table in tables
    ]
    steps += [f"GRANT SELECT ON TABLE {name}.{quoted(table.name)} TO PUBLIC" for table in tables]
    values = ", ".join(literal(text) for text in (schema.database, schema.role_arn, str(tuple(tables))))
    steps.append(
        f"INSERT INTO pg_catalog.redshift_external_schema SELECT oid, {values} FROM pg_namespace "  # noqa: S608
        f"WHERE nspname = {literal(schema.name)} ON CONFLICT (oid) DO NOTHING"
    )
    return steps
