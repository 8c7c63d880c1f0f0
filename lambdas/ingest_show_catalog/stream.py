"""Put catalog entries on the Kinesis stream, refused ones again and alone; it does not know what an entry holds."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from lambdas.ingest_show_catalog.entry import Entry
from lambdas.ingest_show_catalog.outcomes import METRIC_REFUSED_ENTRIES, METRIC_SHOWS_PUBLISHED
from lambdas.shared.failures import error_name

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient

MAX_ENTRIES_PER_CALL = 500
"""Entries that one `PutRecords` takes (API reference, PutRecords)."""

MAX_BYTES_PER_CALL = 5 * 1024 * 1024
"""Bytes of one `PutRecords`, partition keys included: half of what it takes now, all that it took before."""


class EntryStream:
    """The stream that entries go to, one JSON line and one record each, the show as partition key."""

    def __init__(self, *, kinesis: KinesisClient, stream_name: str, max_attempts: int, backoff_seconds: float) -> None:
        """Remember where to put entries.

        Args:
            kinesis: client.
            stream_name: the data stream.
            max_attempts: puts of one entry, the first included.
            backoff_seconds: longest wait before refused entries are put again; it doubles, with full jitter.
        """
        self._kinesis = kinesis
        self._stream_name = stream_name
        self._max_attempts = max_attempts
        self._backoff_seconds = backoff_seconds

    def put(
        self, entries: Sequence[Entry], *, remaining_seconds: Callable[[], float], counts: Counter[str]
    ) -> dict[str, str]:
        """Put entries on the stream; gives those that are not on it: show id to a sentence that says why."""
        refused: dict[str, str] = {}
        for chunk in _chunks(entries):
            refused.update(self._put_chunk(chunk, remaining_seconds, counts))
        counts[METRIC_SHOWS_PUBLISHED] += len(entries) - len(refused)
        return refused

    def _put_chunk(
        self, entries: Sequence[Entry], remaining_seconds: Callable[[], float], counts: Counter[str]
    ) -> dict[str, str]:
        waiting, why = list(entries), {entry.show_id: "" for entry in entries}
        for attempt in range(self._max_attempts):
            if attempt:
                wait = random.uniform(0, self._backoff_seconds * 2 ** (attempt - 1))  # noqa: S311 - jitter, no secret
                if wait > remaining_seconds():
                    break
                time.sleep(wait)
            codes = self._put_once(waiting)
            why = {
                entry.show_id: f"Kinesis did not take the entry: {code}."
                for entry, code in zip(waiting, codes, strict=True)
                if code
            }
            waiting = [entry for entry in waiting if entry.show_id in why]
            counts[METRIC_REFUSED_ENTRIES] += len(waiting)
            if not waiting:
                break
        return why

    def _put_once(self, entries: Sequence[Entry]) -> list[str]:
        """Error code of each entry, empty where it is on the stream."""
        try:
            answer = self._kinesis.put_records(
                StreamName=self._stream_name,
                Records=[{"Data": entry.line, "PartitionKey": entry.partition_key} for entry in entries],
            )
        except Exception as error:
            # The client has repeated what can be repeated; whatever it met, it met for these entries alone.
            return [error_name(error)] * len(entries)
        return [record.get("ErrorCode") or "" for record in answer["Records"]]


def _chunks(entries: Sequence[Entry]) -> Iterator[list[Entry]]:
    chunk: list[Entry] = []
    size = 0
    for entry in entries:
        if chunk and (len(chunk) == MAX_ENTRIES_PER_CALL or size + entry.size_bytes > MAX_BYTES_PER_CALL):
            yield chunk
            chunk, size = [], 0
        chunk.append(entry)
        size += entry.size_bytes
    if chunk:
        yield chunk
