"""Put records back on the stream when a response has no room for them; decides nothing about their content.

A record that goes back carries how often it went, and its first sequence number and arrival, so that an id derived
from them stays the same however often it goes round.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import msgspec

from lambdas.flatten_events.landing import Arrival

MARK = b'{"amp_reingestion":'
"""How the line of a record that was put back begins. A producer could write it too: see `unwrap`."""
MAX_HEADER_BYTES = 500
_SEQUENCE_NUMBER = re.compile(r"[A-Za-z0-9.-]{1,200}")
MAX_RECORDS = 500
MAX_BYTES = 5_000_000
"""Per PutRecords call; the service takes up to 10 MiB, and smaller calls are throttled less (PutRecords API)."""
MAX_RECORD_BYTES = 1_000 * 1024
"""What Firehose takes as one record (Amazon Data Firehose quotas)."""
ATTEMPTS = 4
RESERVED_SECONDS = 30.0
"""What one call may take at its worst, three attempts of seven seconds with waits between them, and the answer."""


class Kinesis(Protocol):
    """The one call that putting back needs."""

    def put_records(self, *, StreamARN: str, Records: Sequence[Any]) -> Any:  # noqa: N803 - the service's names
        """Put up to 500 records."""


class Returned(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An event that came from the stream: its bytes, its first arrival, how often it was put back already."""

    line: bytes
    arrival: Arrival
    attempt: int = 0
    partition_key: str = ""


def unwrap(line: bytes, arrival: Arrival, partition_key: str, *, max_reingestions: int) -> Returned:
    """The event in a record's bytes, be it fresh from its producer or put back before.

    A mark that this function cannot have written is no mark: the line is read, and refused, like any other event.
    """
    if line.startswith(MARK):
        try:
            header, end = json.JSONDecoder().raw_decode(line[:MAX_HEADER_BYTES].decode(errors="replace"))
            mark = header["amp_reingestion"]
            attempt, first_ms, sub_sequence = mark["attempt"], mark["arrived_at_ms"], mark["sub_sequence"]
            numbers = all(type(number) is int for number in (attempt, first_ms, sub_sequence))
            if (
                numbers
                and 0 <= attempt <= max_reingestions  # an operator who replays begins at 0
                and 0 < first_ms <= arrival.arrived_at_ms
                and sub_sequence >= 0
                and _SEQUENCE_NUMBER.fullmatch(mark["sequence_number"])
            ):
                first = Arrival(
                    sequence_number=mark["sequence_number"], sub_sequence=sub_sequence, arrived_at_ms=first_ms
                )
                # The header is ASCII, so characters count as bytes; one space stands before the event.
                return Returned(line=line[end + 1 :], arrival=first, attempt=attempt, partition_key=partition_key)
        except (ValueError, KeyError, TypeError, RecursionError):
            pass
    return Returned(line=line, arrival=arrival, partition_key=partition_key)


def wrap(record: Returned) -> bytes:
    """The line that goes back for a record: a header with one more attempt and the first arrival, then the event."""
    mark = {
        "attempt": record.attempt + 1,
        "sequence_number": record.arrival.sequence_number,
        "sub_sequence": record.arrival.sub_sequence,
        "arrived_at_ms": record.arrival.arrived_at_ms,
    }
    return json.dumps({"amp_reingestion": mark}, separators=(",", ":")).encode() + b" " + record.line + b"\n"


def put_back(
    records: Sequence[Returned],
    *,
    stream_arn: str,
    kinesis: Kinesis,
    remaining_seconds: Callable[[], float],
    sleep: Callable[[float], None] = time.sleep,
) -> list[bool]:
    """Put records on the stream again, refused entries alone and with jittered backoff.

    No call begins when less than RESERVED_SECONDS of the invocation are left: an answer that comes too late would have
    Firehose call again, and what is on the stream by then would be there twice.

    Returns whether each record is on the stream; a False is the caller's to report, nothing is lost silently.
    """
    import random  # at first need, as boto3

    waiting = [(place, wrap(record), record.partition_key or "0") for place, record in enumerate(records)]
    too_large = [entry for entry in waiting if len(entry[1]) > MAX_RECORD_BYTES]
    waiting = [entry for entry in waiting if len(entry[1]) <= MAX_RECORD_BYTES]
    for attempt in range(ATTEMPTS):
        if attempt and waiting:
            sleep(random.uniform(0, 0.1 * 2**attempt))  # noqa: S311 - jitter, not a secret
        refused: list[tuple[int, bytes, str]] = []
        for batch in _batches(waiting):
            refused += _put(batch, stream_arn, kinesis) if remaining_seconds() > RESERVED_SECONDS else batch
        waiting = refused
    lost = {place for place, _, _ in too_large + waiting}
    return [place not in lost for place in range(len(records))]


def _put(batch: list[tuple[int, bytes, str]], stream_arn: str, kinesis: Kinesis) -> list[tuple[int, bytes, str]]:
    entries = [{"Data": data, "PartitionKey": key} for _, data, key in batch]
    try:
        answers = kinesis.put_records(StreamARN=stream_arn, Records=entries)["Records"]
    except Exception as error:
        # The whole call was refused, for whatever cause: its records stay refused and are reported as such. The
        # error's text is left out, because it may quote what was sent.
        print(json.dumps({"level": "ERROR", "message": "records could not be put back", "error": type(error).__name__}))  # noqa: T201
        return batch
    return [entry for entry, answer in zip(batch, answers, strict=True) if answer.get("ErrorCode")]


def _batches(entries: list[tuple[int, bytes, str]]) -> list[list[tuple[int, bytes, str]]]:
    batches: list[list[tuple[int, bytes, str]]] = []
    size = MAX_BYTES + 1
    for entry in entries:
        length = len(entry[1]) + len(entry[2])
        if size + length > MAX_BYTES or len(batches[-1]) == MAX_RECORDS:
            batches.append([])
            size = 0
        batches[-1].append(entry)
        size += length
    return batches
