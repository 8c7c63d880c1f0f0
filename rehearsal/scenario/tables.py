"""Read the lake's Iceberg tables back with DuckDB, an engine that had no part in writing them; writes nothing."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

_EXTENSIONS = ("httpfs", "avro", "iceberg")
"""In the order in which they load: iceberg needs the others."""


@dataclass(frozen=True, kw_only=True)
class Partition:
    """A partition of a table, as its files' folder says it, with what lies in it."""

    name: str
    files: int
    rows: int
    bytes: int


@dataclass(frozen=True, kw_only=True)
class TableFound:
    """A table as catalog and metadata tell it. `columns` are names and types; `comment` what it is for."""

    database: str
    name: str
    comment: str
    columns: Sequence[tuple[str, str]]
    partitions: Sequence[Partition]

    @property
    def rows(self) -> int:
        """Rows of the current snapshot."""
        return sum(partition.rows for partition in self.partitions)

    @property
    def files(self) -> int:
        """Data files of the current snapshot."""
        return sum(partition.files for partition in self.partitions)

    @property
    def bytes(self) -> int:
        """Bytes of these files."""
        return sum(partition.bytes for partition in self.partitions)


class Tables:
    """The Iceberg tables of some databases, each read once into DuckDB under its own name: `zone.table`.

    What a reader sees: the current snapshot that the catalog names, and nothing that a job has not published.
    """

    def __init__(
        self, *, glue: Any, s3: Any, databases: Mapping[str, str], credentials: Any, endpoint_url: str
    ) -> None:
        """Read every Iceberg table.

        Args:
            glue: a client that may read the catalog.
            s3: a client that may list the tables' files.
            databases: zone (`transformed`) → name of its Glue database.
            credentials: with which DuckDB reads the files (access_key_id, secret_access_key, session_token).
            endpoint_url: where S3 is answered.
        """
        self.connection = duckdb.connect()
        self.found: list[TableFound] = []
        _prepare(self.connection, credentials=credentials, endpoint_url=endpoint_url)
        for zone, database in databases.items():
            self.connection.execute(f"CREATE SCHEMA {_quoted(zone)}")
            for page in glue.get_paginator("get_tables").paginate(DatabaseName=database):
                for table in page["TableList"]:
                    if table.get("Parameters", {}).get("table_type", "").upper() == "ICEBERG":
                        self.found.append(self._read(zone, table, s3))

    def close(self) -> None:
        """Let DuckDB go."""
        self.connection.close()

    def has(self, zone: str, name: str) -> bool:
        """Whether there is such a table."""
        return any((table.database, table.name) == (zone, name) for table in self.found)

    def _read(self, zone: str, table: Mapping[str, Any], s3: Any) -> TableFound:
        name, metadata = table["Name"], table["Parameters"]["metadata_location"]
        target = f"{_quoted(zone)}.{_quoted(name)}"
        scan = f"iceberg_scan({_literal(metadata)})"
        # DuckDB's Python needs one more package for moments with a zone; without, they are UTC all the same.
        zoned = [
            f"CAST({_quoted(column)} AS TIMESTAMP) AS {_quoted(column)}"
            for column, kind, *_ in self.connection.execute(f"DESCRIBE SELECT * FROM {scan}").fetchall()
            if kind == "TIMESTAMP WITH TIME ZONE"
        ]
        replaced = f" REPLACE ({', '.join(zoned)})" if zoned else ""
        self.connection.execute(f"CREATE TABLE {target} AS SELECT *{replaced} FROM {scan}")
        columns = [
            (column["Name"], column["Type"])
            for column in table["StorageDescriptor"]["Columns"]
            # Glue keeps columns of older schemas in the list, marked so (Iceberg's GlueCatalog).
            if column.get("Parameters", {}).get("iceberg.field.current", "true") == "true"
        ]
        return TableFound(
            database=zone,
            name=name,
            comment=table.get("Parameters", {}).get("comment", table.get("Description", "")),
            columns=columns,
            partitions=self._partitions(metadata, s3),
        )

    def _partitions(self, metadata: str, s3: Any) -> list[Partition]:
        files = self.connection.execute(
            "SELECT file_path, record_count FROM iceberg_metadata(?) "
            "WHERE content = 'EXISTING' AND status != 'DELETED'",
            [metadata],
        ).fetchall()
        sums: dict[str, list[int]] = {}
        sizes: dict[str, int] = {}
        for path, rows in files:
            bucket, _, key = path.split("://", 1)[1].partition("/")
            folder = key.rpartition("/")[0]
            if key not in sizes:
                for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{folder}/"):
                    sizes.update({item["Key"]: item["Size"] for item in page.get("Contents", [])})
            place = folder.rsplit("/data", 1)[-1].strip("/") or "(not partitioned)"
            total = sums.setdefault(place, [0, 0, 0])
            total[0] += 1
            total[1] += int(rows)
            total[2] += sizes.get(key, 0)
        return [Partition(name=name, files=f, rows=r, bytes=b) for name, (f, r, b) in sorted(sums.items())]


def _prepare(connection: duckdb.DuckDBPyConnection, *, credentials: Any, endpoint_url: str) -> None:
    for name in _EXTENSIONS:
        connection.execute(f"LOAD {_literal(str(_extension(name)))}")
    connection.execute("SET TimeZone = 'UTC'")
    # The secret's statement takes no parameters; its values are a rehearsal's own credentials.
    connection.execute(
        f"CREATE SECRET (TYPE s3, KEY_ID {_literal(credentials.access_key_id)}, "
        f"SECRET {_literal(credentials.secret_access_key)}, SESSION_TOKEN {_literal(credentials.session_token)}, "
        f"ENDPOINT {_literal(endpoint_url.split('://', 1)[1])}, URL_STYLE 'path', USE_SSL false, REGION 'eu-west-1')"
    )


def _extension(name: str) -> Path:
    """The extension's file in its wheel; installed so, DuckDB needs no network for it."""
    spec = importlib.util.find_spec(f"duckdb_extension_{name}")
    if spec is None or spec.origin is None:
        raise RuntimeError(f"the package duckdb-extension-{name} is not installed; make setup installs it")
    return next(Path(spec.origin).parent.rglob("*.duckdb_extension"))


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
