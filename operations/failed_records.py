"""Read the records that failed on their way into the lake, object by object; it decides nothing about them.

Two places hold them: the quarantine (rows of the flattening function) and Firehose's error prefixes (its envelopes).
"""

from __future__ import annotations

import gzip
import io
import json
import shutil
import tempfile
from base64 import b64decode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO, Any

from contracts import events
from contracts.tables import UNKNOWN
from operations.selection import Selection

QUARANTINE = "quarantine"
FIREHOSE = "firehose-errors"
SOURCES = (QUARANTINE, FIREHOSE)
UNREADABLE = "unreadable_entry"
"""Reason of an entry that is no row and no envelope; nobody but these two writers should have put it there."""

_SPOOLED_BYTES = 2 * 1024 * 1024
"""Of a compressed object, what stays in memory; the rest waits in a temporary file without a name."""
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedObject:
    """One object full of failed records. `folder` is the event type (quarantine) or Firehose's kind of error.

    `hour` is the hour of arrival of its records; Firehose names its error folders by the oldest record.
    """

    source: str
    folder: str
    hour: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedRecord:
    """A record that failed, by its line (from 1) in its object. `original` is what came from the stream.

    `arrived_at` is text in UTC as rows write it for quarantine rows, epoch milliseconds as digits for Firehose's.
    """

    line: int
    reason: str
    sentence: str = ""
    column: str = ""
    contract_version: int | None = None
    event_id: str = ""
    derived_id: bool = False
    arrived_at: str = ""
    sequence_number: str = ""
    original: bytes = b""


def objects(s3: Any, bucket: str, selection: Selection) -> Iterator[FailedObject]:
    """Every object that may hold a selected record, by source, folder and hour.

    Keys are listed from the first hour of the range on, so that a small range of an old lake costs little.
    """
    for source in SOURCES:
        # The quarantine's folders are types; Firehose's say nothing of types, and are read.
        before = f"{source}/type=" if source == QUARANTINE else f"{source}/"
        mark = "arrival=" if source == QUARANTINE else ""
        for folder in _folders(s3, bucket, before):
            name = folder.removeprefix(before).rstrip("/")
            if source == QUARANTINE and not selection.takes_type(name):
                continue
            start = f"{folder}{mark}{selection.since}" if selection.since else folder
            pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=folder, StartAfter=start)
            for key in (item["Key"] for page in pages for item in page.get("Contents", [])):
                hour = key.removeprefix(f"{folder}{mark}").split("/")[0]
                if selection.until and hour >= selection.until:
                    break
                if selection.takes_hour(hour):
                    yield FailedObject(source=source, folder=name, hour=hour, key=key)


def _folders(s3: Any, bucket: str, before: str) -> Iterator[str]:
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=before, Delimiter="/"):
        yield from (item["Prefix"] for item in page.get("CommonPrefixes", []))


def download(s3: Any, bucket: str, key: str) -> IO[bytes]:
    """An object's bytes, in a temporary file that only this process can reach; the caller closes it."""
    body = s3.get_object(Bucket=bucket, Key=key)["Body"]
    spool: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=_SPOOLED_BYTES)  # noqa: SIM115 - the caller's
    shutil.copyfileobj(body, spool)
    spool.seek(0)
    return spool


def records(source: str, content: IO[bytes]) -> Iterator[FailedRecord]:
    """The records of an object of a source, from its bytes."""
    read = _row if source == QUARANTINE else _envelope
    for number, line in enumerate(_lines(content), start=1):
        if line.strip():
            yield _entry(number, line, read)


def _lines(content: IO[bytes]) -> Iterator[bytes]:
    compressed = content.read(2) == _GZIP
    content.seek(0)
    # Decompressed in blocks: line by line straight from gzip costs twice the time.
    return iter(io.BufferedReader(gzip.GzipFile(fileobj=content, mode="rb"), 1 << 18) if compressed else content)


def _entry(number: int, line: bytes, read: Callable[[int, dict[str, Any]], FailedRecord]) -> FailedRecord:
    try:
        return read(number, json.loads(line))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return FailedRecord(line=number, reason=UNREADABLE, original=line)


def _row(number: int, row: dict[str, Any]) -> FailedRecord:
    original = row["original"]
    return FailedRecord(
        line=number,
        reason=row["reason_code"],
        sentence=row.get("reason", ""),
        column=row.get("column", ""),
        contract_version=row.get("contract_version"),
        event_id=row.get("event_id", ""),
        derived_id=row.get("event_id_derived") is True,
        arrived_at=row.get("arrived_at", ""),
        sequence_number=row.get("sequence_number", ""),
        original=b64decode(original) if row["original_encoding"] == "base64" else original.encode(),
    )


def _envelope(number: int, envelope: dict[str, Any]) -> FailedRecord:
    """What Firehose writes ("Handle failure in data transformation" page); it holds no sequence number."""
    return FailedRecord(
        line=number,
        reason=envelope["errorCode"],
        sentence=envelope.get("errorMessage", ""),
        arrived_at=str(int(envelope["arrivalTimestamp"])),
        original=b64decode(envelope["rawData"]),
    )


def declared_type(body: object) -> str:
    """The type that an event names, if a contract declares it; `unknown` otherwise, as anything may stand there."""
    found = body.get("event_type") if isinstance(body, dict) else None
    return found if isinstance(found, str) and events.by_type(found) is not None else UNKNOWN.name
