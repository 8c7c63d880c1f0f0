"""Buffers in front of S3: one for each set of partition keys and one for each kind of error; writes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from rehearsal.engine.firehose.configuration import ACTIVE_PARTITIONS

BufferId = tuple[str, tuple[tuple[str, str], ...]]


@dataclass(kw_only=True)
class Buffer:
    """Lines that become one object. ``opened`` in virtual seconds, ``oldest`` the earliest arrival in it."""

    error_type: str
    keys: Mapping[str, str]
    opened: float
    oldest: datetime
    lines: list[bytes] = field(default_factory=list)
    size: int = 0


class TooManyPartitions(Exception):
    """A record would need one more active partition than the service keeps."""


class Buffers:
    """All open buffers of a delivery stream."""

    def __init__(self, *, limit_bytes: int, interval_s: float) -> None:
        self._limit_bytes, self._interval_s = limit_bytes, interval_s
        self._open: dict[BufferId, Buffer] = {}

    def __len__(self) -> int:
        return len(self._open)

    def __iter__(self) -> Iterator[Buffer]:
        return iter(self._open.values())

    def add(self, line: bytes, *, arrival: datetime, now: float, keys: Mapping[str, str], error_type: str = "") -> None:
        """Add a line to its buffer.

        Raises:
            TooManyPartitions: 500 partitions are active and this would be another.
        """
        identity = (error_type, tuple(sorted(keys.items())))
        buffer = self._open.get(identity)
        if buffer is None:
            if not error_type and keys and self._partitions() >= ACTIVE_PARTITIONS:
                raise TooManyPartitions
            buffer = Buffer(error_type=error_type, keys=keys, opened=now, oldest=arrival)
            self._open[identity] = buffer
        buffer.lines.append(line)
        buffer.size += len(line)
        buffer.oldest = min(buffer.oldest, arrival)

    def next_due(self) -> float | None:
        """When the first buffer is full or old enough."""
        return min((self._due(buffer) for buffer in self._open.values()), default=None)

    def first_due(self, now: float) -> Buffer | None:
        """The buffer to write next, when one is due."""
        ready = [buffer for buffer in self._open.values() if self._due(buffer) <= now]
        return min(ready, key=self._due, default=None)

    def remove(self, buffer: Buffer) -> None:
        """Forget a buffer that was written."""
        del self._open[buffer.error_type, tuple(sorted(buffer.keys.items()))]

    def _partitions(self) -> int:
        return sum(1 for buffer in self._open.values() if not buffer.error_type)

    def _due(self, buffer: Buffer) -> float:
        return buffer.opened if buffer.size >= self._limit_bytes else buffer.opened + self._interval_s
