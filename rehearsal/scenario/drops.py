"""Files that other teams drop into the lake: generated exports, planted faults, a person's own; drops nothing."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from contracts.datasets import BATCH_PREFIX, CATALOG, CREATORS, SHOWS, UPLOADS, USER_PROFILES, Dataset
from contracts.reasons import Reason
from rehearsal.scenario.inputs import InputError
from rehearsal.scenario.population import Population
from rehearsal.scenario.population.exports import Row

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
SUFFIXES = (".json", ".ndjson", ".jsonl", ".csv", ".parquet")
"""What a file of one's own may be called, with or without .gz for text."""
UNKNOWN_PREFIX = "unknown_prefix"
"""Promised for a file that lies where no dataset does: its notice is a dead letter with this reason."""


@dataclass(frozen=True, kw_only=True)
class Drop:
    """A file and what is promised for it.

    `rows` is how many rows it holds, None where nobody knows; `refused` the reason for which the whole file is promised
    to be refused; `later` says that it comes after the others were catalogued.
    """

    key: str
    body: bytes
    rows: int | None = None
    refused: str = ""
    later: bool = False

    @property
    def dataset(self) -> str:
        """Name of the dataset below whose prefix it lies."""
        return self.key.removeprefix(BATCH_PREFIX).split("/")[0]


def generated(population: Population) -> list[Drop]:
    """A drop of every dataset, of uploads that nobody has declared too, and later one of shows with another column."""
    exports = population.exports()
    day = f"{population.settings.now:%Y-%m-%d}"
    shows = exports[SHOWS.name]
    half = len(shows) // 2
    later = [{**row, "rating": 4.5} for row in shows[half:]]
    return [
        _drop(SHOWS, f"{day}/shows-1.json.gz", gzip.compress(_json(shows[:half]), mtime=0), rows=half),
        # A spreadsheet program writes a byte-order mark and breaks lines within quotes.
        _drop(
            CATALOG,
            f"{day}/catalog.csv",
            BYTE_ORDER_MARK + _csv(exports[CATALOG.name]),
            rows=len(exports[CATALOG.name]),
        ),
        _drop(CREATORS, f"{day}/creators.parquet", _parquet(exports[CREATORS.name]), rows=len(exports[CREATORS.name])),
        _drop(
            USER_PROFILES,
            f"{day}/profiles.csv.gz",
            gzip.compress(_csv(exports[USER_PROFILES.name]), mtime=0),
            rows=len(exports[USER_PROFILES.name]),
        ),
        _drop(UPLOADS, f"studio_bookings/{day}.csv", _csv(exports[UPLOADS.name]), rows=len(exports[UPLOADS.name])),
        _drop(SHOWS, f"{day}/shows-2.json.gz", gzip.compress(_json(later), mtime=0), rows=len(later), later=True),
    ]


def faulty(population: Population) -> list[Drop]:
    """Files that must be refused, each alone: cut short, not what the name says, below no dataset's prefix."""
    day = f"{population.settings.now:%Y-%m-%d}"
    whole = gzip.compress(_json(population.exports()[SHOWS.name]), mtime=0)
    page = b"<!doctype html><html><body>Sign in to download</body></html>\n"
    return [
        _drop(SHOWS, f"{day}/shows-cut.json.gz", whole[: len(whole) // 2], rows=0, refused=Reason.CORRUPT_FILE),
        _drop(CREATORS, f"{day}/creators-page.parquet", page, rows=0, refused=Reason.WRONG_FORMAT),
        Drop(key=f"{BATCH_PREFIX}payments/{day}/payments.csv", body=b"id\n1\n", rows=0, refused=UNKNOWN_PREFIX),
    ]


def own(folder: Path) -> list[Drop]:
    """A person's own files, whatever they hold: each folder below `folder`, or each file, is a table.

    Raises:
        InputError: there is no such folder, or it holds no file that can be taken.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is no folder; give one that holds {', '.join(SUFFIXES)} files")
    found = []
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = file.name.lower().removesuffix(".gz")
        if not _taken(file):
            continue
        below = file.relative_to(folder)
        table = below.parts[0] if len(below.parts) > 1 else name.rsplit(".", 1)[0]
        table = re.sub(r"[^a-z0-9]+", "_", table.lower()).strip("_") or "files"
        found.append(_drop(UPLOADS, f"{table}/{file.name}", file.read_bytes()))
    if not found:
        raise InputError(f"{folder} holds no file that ends in {', '.join(SUFFIXES)} (with or without .gz)")
    return found


def skipped(folder: Path) -> list[str]:
    """Which files of a person's own folder `own` leaves out, because their names tell no format; hidden ones not."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
    return [str(file.relative_to(folder)) for file in files if not _taken(file)]


def _taken(file: Path) -> bool:
    return not file.name.startswith(".") and file.name.lower().removesuffix(".gz").endswith(SUFFIXES)


def _drop(
    dataset: Dataset, name: str, body: bytes, rows: int | None = None, refused: str = "", later: bool = False
) -> Drop:
    return Drop(key=dataset.prefix + name, body=body, rows=rows, refused=refused, later=later)


def _json(rows: Sequence[Row]) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False, default=str) + "\n" for row in rows).encode()


def _csv(rows: Sequence[Row]) -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, fieldnames=list(rows[0]))
    writer.writeheader()
    writer.writerows({**row, **{k: str(v).lower() for k, v in row.items() if isinstance(v, bool)}} for row in rows)
    return out.getvalue().encode()


def _parquet(rows: Sequence[Row]) -> bytes:
    """The rows as a Parquet file, by DuckDB, which knows their types from the JSON."""
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as connection:
        source, target = Path(folder) / "rows.json", Path(folder) / "rows.parquet"
        source.write_bytes(_json(rows))
        rows_as_read = connection.read_json(str(source), format="newline_delimited")
        rows_as_read.write_parquet(str(target))
        return target.read_bytes()
