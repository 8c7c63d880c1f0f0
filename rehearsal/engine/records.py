"""What a rehearsal remembers for its report: invocations, job runs, metrics, a timeline. It decides nothing."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any


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
class FinishedJobRun:
    """One attempt of a Glue job, or one job run of EMR on EKS, that has ended.

    ``time`` is its (virtual) start, ``seconds`` of the machine. ``state`` is Glue's ``SUCCEEDED``, ``FAILED``,
    ``TIMEOUT`` or ``STOPPED``, or EMR's ``COMPLETED``, ``FAILED`` or ``CANCELLED``; ``attempt`` is 0 for the first.
    ``asked`` is when it was asked for on the machine's clock, ``waited_s`` how long until its process started.
    """

    time: datetime
    job: str
    run_id: str
    attempt: int
    state: str
    error: str
    seconds: float
    arguments: Mapping[str, str]
    asked: datetime | None = None
    waited_s: float = 0.0


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
    """The four lists, appended to by any thread; each holds at most ``limit`` entries and counts what it let go."""

    def __init__(self, *, limit: int = 1_000_000) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self.invocations: list[Invocation] = []
        self.job_runs: list[FinishedJobRun] = []
        self.metrics: list[Metric] = []
        self.timeline: list[TimelineEvent] = []
        self.let_go = 0

    def add(self, record: Invocation | FinishedJobRun | Metric | TimelineEvent) -> None:
        """Remember one record."""
        with self._lock:
            lists: dict[type, list[Any]] = {
                Invocation: self.invocations,
                FinishedJobRun: self.job_runs,
                Metric: self.metrics,
                TimelineEvent: self.timeline,
            }
            target = lists[type(record)]
            if len(target) >= self._limit:
                self.let_go += 1
            else:
                target.append(record)

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
