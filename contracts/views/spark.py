"""Spark DDL of a table; runs no Spark."""

from __future__ import annotations

from collections.abc import Mapping

from contracts.lake import LakeTable
from contracts.model import Table

TARGET_FILE_BYTES = 128 * 2**20
"""Size that a data file of the lake is aimed at."""
FORMAT_PROPERTIES: Mapping[str, str] = {
    "format-version": "2",
    "write.parquet.compression-codec": "zstd",
    "write.target-file-size-bytes": str(TARGET_FILE_BYTES),
    "commit.retry.num-retries": "10",
    "write.metadata.delete-after-commit.enabled": "true",
    "write.metadata.previous-versions-max": "20",
}
"""Properties of every lake table (Iceberg documentation, Configuration)."""


def schema_ddl(table: Table) -> str:
    """The table's columns as the schema string that `DataFrameReader.schema` takes.

    Every column is nullable there, because a reader of JSON never enforces more (Spark SQL guide, JSON files).
    """
    return ", ".join(column_ddl(column.name, column.type, column.description) for column in table.columns)


def column_ddl(name: str, hive_type: str, description: str = "") -> str:
    """One column as it stands in DDL."""
    return f"`{name}` {hive_type}" + (f" COMMENT {literal(description)}" if description else "")


def properties(table: LakeTable) -> dict[str, str]:
    """Table properties: format, owner, grain and contract version.

    Of personal columns, no smallest and largest values are kept in metadata files, which outlive the rows; of an open
    table, of no column that is not declared.
    """
    bounds = {
        f"write.metadata.metrics.column.{column.name}": "counts"
        for column in table.columns
        if column.personal and not column.type.startswith(("map", "array", "struct"))
    }
    if table.open:
        bounds["write.metadata.metrics.default"] = "counts"
        known = [column.name for column in table.columns if not (column.personal or column.person_id)]
        bounds |= {f"write.metadata.metrics.column.{name}": "full" for name in known}
    return {
        **FORMAT_PROPERTIES,
        **bounds,
        "comment": table.description,
        "amp.owner": table.owner,
        "amp.grain": table.grain,
        "amp.contract-version": str(table.version),
    }


def create_ddl(table: LakeTable, *, name: str, columns: str) -> str:
    """The statement that makes an Iceberg table called `name` (with catalog and database) with `columns` as DDL.

    Where it lies follows from its database's location.
    """
    partition = f" PARTITIONED BY ({', '.join(table.partition)})" if table.partition else ""
    listed = ", ".join(f"{literal(key)} = {literal(value)}" for key, value in properties(table).items())
    return f"CREATE TABLE IF NOT EXISTS {name} ({columns}) USING iceberg{partition} TBLPROPERTIES ({listed})"


def order_ddl(table: LakeTable, *, name: str) -> str:
    """The statement that says how rows are spread over files and ordered in them; rows of a partition meet in one."""
    ordered = f" ORDERED BY {', '.join(table.sort)}" if table.sort else ""
    if not table.partition:
        return f"ALTER TABLE {name} WRITE{ordered or ' UNORDERED'}"
    return f"ALTER TABLE {name} WRITE DISTRIBUTED BY PARTITION{' LOCALLY' + ordered if ordered else ''}"


def literal(text: str) -> str:
    """A text as a SQL string literal."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
