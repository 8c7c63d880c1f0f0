"""Read the lake's Iceberg tables back with DuckDB, an engine that had no part in writing them; writes nothing."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
from boto3.session import Session

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
    """Iceberg tables, each read once into DuckDB under its own name: `zone.table`.

    What a reader sees: the current snapshot that the catalog names, and nothing that a job has not published.
    """

    def __init__(self, *, endpoint_url: str) -> None:
        """Begin without any; `endpoint_url` is where AWS's APIs are answered."""
        self.connection = duckdb.connect()
        self.found: list[TableFound] = []
        self._endpoint_url = endpoint_url
        for name in _EXTENSIONS:
            self.connection.execute(f"LOAD {_literal(str(_extension(name)))}")
        self.connection.execute("SET TimeZone = 'UTC'")

    def read(self, zone: str, database: str, *, session: Session) -> None:
        """Read every Iceberg table of a Glue database that the session's principal may see, under its permissions."""
        glue = session.client("glue", endpoint_url=self._endpoint_url)
        s3 = session.client("s3", endpoint_url=self._endpoint_url)
        self._sign_as(session)
        self.connection.execute(f"CREATE SCHEMA {_quoted(zone)}")
        glue.get_database(Name=database)
        pages = glue.get_paginator("get_tables").paginate(DatabaseName=database)
        for name in [table["Name"] for page in pages for table in page["TableList"]]:
            # A list shows what is there; an engine asks for each table that it reads.
            table = glue.get_table(DatabaseName=database, Name=name)["Table"]
            if table.get("Parameters", {}).get("table_type", "").upper() == "ICEBERG":
                self.found.append(self._read(zone, table, s3))

    def close(self) -> None:
        """Let DuckDB go."""
        self.connection.close()

    def has(self, zone: str, name: str) -> bool:
        """Whether there is such a table."""
        return any((table.database, table.name) == (zone, name) for table in self.found)

    def _sign_as(self, session: Session) -> None:
        given = session.get_credentials()
        assert given is not None  # noqa: S101 - every session of a rehearsal is made with some
        keys = given.get_frozen_credentials()
        # The statement takes no parameters; its values are a rehearsal's own credentials.
        self.connection.execute(
            f"CREATE OR REPLACE SECRET rehearsal (TYPE s3, KEY_ID {_literal(keys.access_key or '')}, "
            f"SECRET {_literal(keys.secret_key or '')}, SESSION_TOKEN {_literal(keys.token or '')}, "
            f"ENDPOINT {_literal(self._endpoint_url.split('://', 1)[1])}, URL_STYLE 'path', USE_SSL false, "
            f"REGION {_literal(session.region_name or '')})"
        )

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
