"""What a producer did, in numbers; measures nothing itself."""

from __future__ import annotations

from dataclasses import dataclass

BILLING_STEP_BYTES = 5_120
"""Firehose bills the size of each record rounded up to the next 5 KB (Amazon Data Firehose pricing page)."""


@dataclass(frozen=True, kw_only=True)
class Stats:
    """Counts since the producer was made. Always: `accepted == sent + given_up + unsent + waiting`."""

    accepted: int = 0
    """Events that `put` took."""
    invalid: int = 0
    """Events that `put` refused, because they break their contract."""
    dropped: int = 0
    """Events that the full buffer turned away, left out (`WhenFull.DROP`) or by `BufferFull`."""
    sent: int = 0
    """Events that are on the stream."""
    given_up: int = 0
    """Events that the stream did not take in `max_attempts`; `on_failure` got them."""
    unsent: int = 0
    """Events whose sending was not confirmed when `close` ran out of time; `on_failure` got them."""
    waiting: int = 0
    """Events taken and not settled yet."""
    retried: int = 0
    """Attempts at a record beyond its first."""
    records: int = 0
    """Records that are on the stream."""
    bytes: int = 0
    """Bytes of those records."""
    bytes_saved: int = 0
    """Billed bytes that batching saved, against one record for each event, by Firehose's steps of 5 KB."""


def billed_bytes(size: int) -> int:
    """What a record of this many bytes counts for on Firehose's bill."""
    return -(-size // BILLING_STEP_BYTES) * BILLING_STEP_BYTES
