"""The statements of the Data API: submitted, run beside the caller, described, read page by page, cancelled.

It must not know the wire nor decide who may call. Rules: Amazon Redshift Data API reference.
"""

from __future__ import annotations

import contextlib
import decimal
import threading
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg

from rehearsal.engine.clock import Clock
from rehearsal.engine.redshift.cluster import Cluster, Query, Result, StatementFailed

PAGE_ROWS = 1000
WAIT_LIMIT_S = 30
ENDED = ("FINISHED", "FAILED", "ABORTED")


class NoSuchStatement(LookupError):
    """There is no statement of this id."""


@dataclass(kw_only=True)
class Part:
    """One statement of a submission. ``status`` is the API's word; times are virtual seconds since the epoch."""

    id: str
    query: Query
    status: str = "SUBMITTED"
    error: str = ""
    result: Result | None = None
    created: float
    updated: float
    nanoseconds: int = 0


@dataclass(kw_only=True)
class Submission:
    """What one call of ExecuteStatement or BatchExecuteStatement submitted; ``batch``: by the latter."""

    id: str
    cluster: Cluster
    database: str
    user: str
    name: str
    batch: bool
    parts: list[Part]
    created: float
    updated: float
    status: str = "SUBMITTED"
    error: str = ""
    nanoseconds: int = 0
    pid: int = 0
    done: threading.Event = field(default_factory=threading.Event)
    connection: psycopg.Connection[Any] | None = None
    cancelled: bool = False


class Statements:
    """Activity: every submission of the account, in order; what runs is waited for before virtual time moves on."""

    def __init__(self, clock: Clock) -> None:
        self.name = "Redshift Data API"
        self.refusals = 0
        self._clock = clock
        self._by_id: dict[str, Submission] = {}
        self._by_token: dict[str, tuple[object, Submission]] = {}
        self._running: list[Submission] = []

    def submit(
        self,
        cluster: Cluster,
        *,
        database: str,
        user: str,
        queries: Sequence[Query],
        name: str,
        batch: bool,
        token: str,
    ) -> Submission:
        """Start statements in one transaction; the same token and content give the first submission again.

        Raises:
            ValueError: the token was used for something else.
        """
        content = (cluster.identifier, database, user, tuple((q.sql, tuple(q.parameters.items())) for q in queries))
        if token and token in self._by_token:
            known, submission = self._by_token[token]
            if known != content:
                raise ValueError("ClientToken was used before with other parameters")
            return submission
        now, identifier = self._clock.time(), str(uuid.uuid4())
        submission = Submission(
            id=identifier,
            cluster=cluster,
            database=database,
            user=user,
            name=name,
            batch=batch,
            parts=[
                Part(id=f"{identifier}:{number}" if batch else identifier, query=query, created=now, updated=now)
                for number, query in enumerate(queries, start=1)
            ],
            created=now,
            updated=now,
        )
        self._by_id[identifier] = submission
        if token:
            self._by_token[token] = (content, submission)
        self._running.append(submission)
        threading.Thread(target=self._run, args=(submission,), daemon=True).start()
        return submission

    def find(self, identifier: str) -> Submission:
        """A submission by its id, or by that of one of its parts.

        Raises:
            NoSuchStatement: there is none.
        """
        try:
            return self._by_id[identifier.split(":")[0]]
        except KeyError:
            raise NoSuchStatement(identifier) from None

    def listed(self) -> Sequence[Submission]:
        """Every submission, the newest first."""
        return tuple(reversed(self._by_id.values()))

    def cancel(self, submission: Submission) -> bool:
        """Stop what runs; False when it has ended."""
        if submission.done.is_set():
            return False
        submission.cancelled = True
        connection = submission.connection
        if connection is not None:
            with contextlib.suppress(psycopg.Error):
                connection.cancel_safe()
        submission.done.wait()
        return submission.status == "ABORTED"

    def due(self) -> float | None:
        """At once while a statement runs."""
        return self._clock.time() if self._still_running() else None

    def step(self) -> None:
        """Wait a moment for the first that runs."""
        running = self._still_running()
        if running:
            running[0].done.wait(0.05)

    def waiting(self) -> str:
        """How many statements run."""
        running = self._still_running()
        return f"{len(running)} submissions run" if running else ""

    def _still_running(self) -> list[Submission]:
        self._running = [submission for submission in self._running if not submission.done.is_set()]
        return self._running

    def _run(self, submission: Submission) -> None:
        started = time.perf_counter_ns()
        submission.status = "STARTED"
        finished = 0

        def on_start(connection: psycopg.Connection[Any]) -> None:
            submission.connection, submission.pid = connection, connection.info.backend_pid
            if submission.cancelled:
                raise StatementFailed("cancelled before it began")

        def on_result(number: int, result: Result) -> None:
            nonlocal finished
            part = submission.parts[number]
            part.result, part.updated = result, self._clock.time()
            part.nanoseconds = time.perf_counter_ns() - started
            finished = number + 1

        status, error = "FINISHED", ""
        try:
            queries = [part.query for part in submission.parts]
            submission.cluster.run(
                submission.user, submission.database, queries, on_start=on_start, on_result=on_result
            )
        except Exception as failure:
            # Whatever goes wrong beside the caller must be told to whoever asks for the statement.
            known = isinstance(failure, StatementFailed)
            status, error = "FAILED", str(failure) if known else f"{type(failure).__name__}: {failure}"
        if status == "FAILED" and submission.cancelled:
            status, error = "ABORTED", "Query was cancelled"
        for number, part in enumerate(submission.parts):
            part.status = "FINISHED" if number < finished else status if number == finished else "ABORTED"
            part.error = error if number == finished else ""
        submission.connection = None
        submission.nanoseconds, submission.updated = time.perf_counter_ns() - started, self._clock.time()
        submission.status, submission.error = status, error
        submission.done.set()


def shown_value(value: Any) -> dict[str, Any]:
    """A value as a field of a result."""
    if value is None:
        return {"isNull": True}
    if isinstance(value, bool):
        return {"booleanValue": value}
    if isinstance(value, int):
        return {"longValue": value}
    if isinstance(value, float):
        return {"doubleValue": value}
    if isinstance(value, decimal.Decimal):
        return {"stringValue": format(value, "f")}
    return {"stringValue": str(value)}
