"""Gather lines into records by size and age; knows no stream and starts no thread."""

from __future__ import annotations

from dataclasses import dataclass, field

from .limits import MAX_LINES, Limits
from .stats import billed_bytes


@dataclass(slots=True, eq=False)
class Record:
    """Lines that travel together, and how their sending went so far.

    `lane` is None where order does not matter. Times are of the producer's clock, in seconds.
    """

    lane: int | None
    opened_at: float
    lines: list[bytes] = field(default_factory=list)
    size: int = 0
    attempts: int = 0
    not_before: float = 0.0
    error: str = ""
    settled: bool = False

    @property
    def data(self) -> bytes:
        """The record's bytes: its lines, newlines between them and none behind, for that would be an empty event."""
        return b"\n".join(self.lines)

    @property
    def bytes_saved(self) -> int:
        """Billed bytes of its events as single records, less its own."""
        return sum(billed_bytes(len(line)) for line in self.lines) - billed_bytes(self.size)


class Batcher:
    """The open records: one for each lane in use, or one for all where order does not matter."""

    def __init__(self, limits: Limits) -> None:
        """Start with none."""
        self._limits = limits
        self._open: dict[int | None, Record] = {}  # oldest first, because a new record is always put behind

    def add(self, line: bytes, *, lane: int | None, now: float) -> list[Record]:
        """Put a line into its lane's open record; gives the records that this sealed."""
        sealed = []
        record = self._open.get(lane)
        if record is not None and record.size + 1 + len(line) > self._limits.record_bytes:
            sealed.append(self._open.pop(lane))
            record = None
        if record is None:
            record = self._open[lane] = Record(lane=lane, opened_at=now)
        record.size += len(line) + (1 if record.lines else 0)
        record.lines.append(line)
        # Nothing more will fit, so it need not wait for the next event to find out.
        if len(record.lines) == MAX_LINES or record.size >= self._limits.record_bytes:
            sealed.append(self._open.pop(lane))
        return sealed

    def due(self, now: float) -> list[Record]:
        """Seal the records that are `linger_ms` old."""
        sealed = []
        while (deadline := self.deadline()) is not None and deadline <= now:
            sealed.append(self._open.pop(next(iter(self._open))))
        return sealed

    def deadline(self) -> float | None:
        """When the oldest open record falls due."""
        oldest = next(iter(self._open.values()), None)
        return None if oldest is None else oldest.opened_at + self._limits.linger_ms / 1_000

    def seal_all(self) -> list[Record]:
        """Seal every open record."""
        sealed = list(self._open.values())
        self._open.clear()
        return sealed
