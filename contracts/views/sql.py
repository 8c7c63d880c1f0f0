"""Types as the engines of reports name them, and tables in DuckDB; runs no statement."""

from __future__ import annotations

from collections.abc import Sequence

from contracts import hive_types
from contracts.model import Table
from contracts.views import redshift

_DUCKDB = {"string": "varchar", "int": "integer"}
_ATHENA = {"string": "varchar", "int": "integer", "timestamp": "timestamp(6)"}


def column_type(hive_type: str, *, dialect: str) -> str:
    """What a Hive type is called in a cast of one of `contracts.report.DIALECTS`.

    ValueError for a nested type on Athena, where nothing needs one, and for a dialect that is none.
    """
    if dialect == "redshift":
        return redshift.column_type(hive_type).lower()
    parsed = hive_types.parse(hive_type)
    if dialect == "duckdb":
        return _in_duckdb(parsed)
    if dialect != "athena":
        raise ValueError(f"the dialect {dialect!r} is none of duckdb, athena, redshift")
    if isinstance(parsed, hive_types.Primitive):
        return _ATHENA.get(parsed.name, parsed.name)
    if isinstance(parsed, hive_types.Decimal):
        return f"decimal({parsed.precision},{parsed.scale})"
    raise ValueError(f"the type {hive_type!r} is nested; a column of a report holds one value")


def create_in_duckdb(table: Table, *, schema: str, partitions: Sequence[str] = ()) -> str:
    """The statement that makes an empty table in a schema of DuckDB, unless it is there; `partitions` are strings."""
    columns = [f'"{column.name}" {column_type(column.type, dialect="duckdb")}' for column in table.columns]
    columns += [f'"{name}" varchar' for name in partitions]
    return f'create table if not exists "{schema}"."{table.name}" ({", ".join(columns)})'


def _in_duckdb(parsed: hive_types.HiveType) -> str:
    if isinstance(parsed, hive_types.Primitive):
        return _DUCKDB.get(parsed.name, parsed.name)
    if isinstance(parsed, hive_types.Decimal):
        return f"decimal({parsed.precision},{parsed.scale})"
    if isinstance(parsed, hive_types.Array):
        return f"{_in_duckdb(parsed.element)}[]"
    if isinstance(parsed, hive_types.Map):
        return f"map(varchar, {_in_duckdb(parsed.value)})"
    return "struct(" + ", ".join(f'"{name}" {_in_duckdb(kind)}' for name, kind in parsed.fields) + ")"
