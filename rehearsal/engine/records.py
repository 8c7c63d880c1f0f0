"""What a rehearsal remembers for its report: invocations, metrics and a timeline. Decides and computes nothing."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, kw_only=True)
class Invocation:
    """One run of a Lambda function.

    ``outcome`` is ``ok``, ``error`` (the function raised), ``timeout``, ``crash``, ``init-error``,
    ``too-large`` (the response), ``throttled`` or ``fault`` (asked for by the scenario).
    """

    time: datetime
    function: str
    source: str
    request_id: str
    outcome: str
    cold: bool
    duration_ms: float
    request_bytes: int
    response_bytes: int
    error: str = ""


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One data point, from a function's embedded metric format line or from a played service."""

    time: datetime
    namespace: str
    name: str
    dimensions: Mapping[str, str]
    value: float
    unit: str = "None"


@dataclass(frozen=True, kw_only=True)
class TimelineEvent:
    """Something that happened, for a report: ``kind`` such as ``object-written``, ``source`` who did it."""

    time: datetime
    kind: str
    source: str
    detail: str
    count: int = 1
    bytes: int = 0


class Records:
    """The three lists, appended to by any thread; each holds at most ``limit`` entries and counts what it let go."""

    def __init__(self, *, limit: int = 1_000_000) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self.invocations: list[Invocation] = []
        self.metrics: list[Metric] = []
        self.timeline: list[TimelineEvent] = []
        self.let_go = 0

    def add(self, record: Invocation | Metric | TimelineEvent) -> None:
        """Remember one record."""
        with self._lock:
            target: list[Invocation] | list[Metric] | list[TimelineEvent] = (
                self.invocations
                if isinstance(record, Invocation)
                else self.metrics
                if isinstance(record, Metric)
                else self.timeline
            )
            if len(target) >= self._limit:
                self.let_go += 1
            else:
                target.append(record)  # type: ignore[arg-type]

    def happened(self, kind: str, source: str, detail: str, *, count: int = 1, size: int = 0) -> None:
        """Add to the timeline, at the present (virtual) moment; ``size`` in bytes."""
        event = TimelineEvent(time=datetime.now(UTC), kind=kind, source=source, detail=detail, count=count, bytes=size)
        self.add(event)

    def measured(self, namespace: str, name: str, value: float, *, unit: str = "Count", **dimensions: str) -> None:
        """Add a service's own data point, at the present (virtual) moment."""
        self.add(
            Metric(
                time=datetime.now(UTC),
                namespace=namespace,
                name=name,
                dimensions=dimensions,
                value=value,
                unit=unit,
            )
        )
