"""All that lies below a prefix of the lake, opened up: bytes, column values, statistics and manifests, to be searched.

It must not know what is looked for.
"""

from __future__ import annotations

import gzip
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

BYTES, VALUES, STATISTICS, MANIFEST = "bytes", "column values", "statistics", "manifest"


@dataclass(frozen=True, kw_only=True)
class Opened:
    """One way of looking at one object, or at what a catalog says of a table."""

    key: str
    kind: str
    content: bytes


def objects(s3: Any, bucket: str, prefix: str) -> dict[str, bytes]:
    """Every object below a prefix, as far as the client may read it."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    keys = [item["Key"] for page in pages for item in page.get("Contents", [])]
    return {key: s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}


def opened(files: Mapping[str, bytes]) -> list[Opened]:
    """Every way of looking at each of the files."""
    found = []
    with duckdb.connect() as connection, tempfile.TemporaryDirectory() as folder:
        connection.execute(f"LOAD '{_avro()}'")
        for number, (key, content) in enumerate(files.items()):
            plain = gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content
            found.append(Opened(key=key, kind=BYTES, content=plain))
            file = Path(folder) / f"{number}{Path(key).suffix}"
            file.write_bytes(plain)
            if key.endswith(".parquet"):
                found.append(Opened(key=key, kind=VALUES, content=_text(connection, "read_parquet", file)))
                statistics = _text(connection, "parquet_metadata", file)
                found.append(Opened(key=key, kind=STATISTICS, content=statistics))
            elif key.endswith(".avro"):
                found.append(Opened(key=key, kind=MANIFEST, content=_text(connection, "read_avro", file)))
    return found


def places(found: Iterable[Opened], marks: Iterable[str]) -> dict[str, set[tuple[str, str]]]:
    """Where each of the marks stands: key and way of looking; those that stand nowhere are left out."""
    where: dict[str, set[tuple[str, str]]] = {}
    needles = {mark: mark.encode() for mark in marks}
    for one in found:
        for mark, needle in needles.items():
            if needle in one.content:
                where.setdefault(mark, set()).add((one.key, one.kind))
    return where


def _text(connection: duckdb.DuckDBPyConnection, function: str, file: Path) -> bytes:
    """All values of a file as text, in which bytes that are letters stand as these letters."""
    rows = connection.table_function(function, [str(file)]).project("COLUMNS(*)::VARCHAR").fetchall()
    return "\0".join(value for row in rows for value in row if value is not None).encode()


def _avro() -> Path:
    import duckdb_extension_avro  # type: ignore[import-untyped]

    return next(Path(duckdb_extension_avro.__file__).parent.rglob("*.duckdb_extension"))
