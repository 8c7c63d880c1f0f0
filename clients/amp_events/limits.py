"""How much a producer batches, keeps and tries; decides nothing while it runs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

MAX_LINES = 500
"""Events that Firehose takes out of one record ("Multi-record de-aggregation" in the dynamic partitioning page)."""

MAX_RECORD_BYTES = 1_000 * 1_024
"""What Firehose takes as one record ("Amazon Data Firehose quota" page); Kinesis alone would take 1 MiB."""

MAX_EVENT_BYTES = MAX_RECORD_BYTES - 1_024
"""Longest line of one event: the platform needs a little room when it has to put an event back on the stream."""

MAX_RECORDS_PER_CALL = 500
MAX_BYTES_PER_CALL = 5 * 1_024 * 1_024
"""Per `PutRecords`, partition keys included (API reference, PutRecords; the service's present limit is higher)."""


class WhenFull(StrEnum):
    """What `put` does with an event when the buffer is full."""

    RAISE = "raise"
    """Raise `BufferFull` at once: nothing waits and no loss is silent. The default."""
    BLOCK = "block"
    """Wait up to `Limits.block_s`, then raise `BufferFull`."""
    DROP = "drop"
    """Leave the event out and count it; for events that nobody misses."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Sizes and times of a producer; the defaults suit a web service.

    Raises:
        ValueError: a value outside its range.
    """

    record_bytes: int = 25_000
    """A record is sealed before it grows beyond this; an event that is longer travels alone. Firehose bills records in
    steps of 5 KB: this is five of them, be a KB 1,000 or 1,024 bytes."""
    linger_ms: int = 1_000
    """A record is sealed at this age at the latest: the delay of an event when traffic is low."""
    lanes: int = 16
    """Ordered mode: how many records may be open, and sent, beside each other."""
    buffer_bytes: int = 32 * 1_024 * 1_024
    """Bytes of events taken and not yet settled; Python's own overhead comes on top (about 100 bytes an event)."""
    buffer_events: int = 50_000
    """Events taken and not yet settled."""
    block_s: float = 1.0
    """How long `put` waits for room with `WhenFull.BLOCK`."""
    max_attempts: int = 12
    """How often a record is sent before its events are given up; with the default waits 27 s on average, 53 s at most,
    beside the time of the calls."""
    backoff_ms: int = 100
    """Longest wait before the second attempt; it doubles with every further one, with full jitter."""
    max_backoff_ms: int = 10_000
    """Longest wait before any attempt."""
    close_s: float = 10.0
    """How long `close` and the end of the process wait for events to be sent."""

    def __post_init__(self) -> None:
        """Refuse what cannot work."""
        for name, low, high in (
            ("record_bytes", 1, MAX_RECORD_BYTES),
            ("linger_ms", 0, 3_600_000),
            ("lanes", 1, MAX_RECORDS_PER_CALL),
            ("buffer_bytes", MAX_EVENT_BYTES, 2**40),
            ("buffer_events", 1, 2**40),
            ("block_s", 0, 3_600),
            ("max_attempts", 1, 1_000),
            ("backoff_ms", 0, 3_600_000),
            ("max_backoff_ms", 0, 3_600_000),
            ("close_s", 0, 3_600),
        ):
            given = getattr(self, name)
            if not low <= given <= high:
                raise ValueError(f"{name} is {given}; allowed is {low} to {high}: change Limits({name}=…)")
