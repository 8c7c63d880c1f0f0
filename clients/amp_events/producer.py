"""Take events from any thread and send them from one of its own; what an event means is not its business.

What is lost when the process is killed (SIGKILL, power, out of memory): every event that `put` took and that is not
on the stream yet, at most those of the last `linger_ms` and of the call under way, while the stream takes what it is
given; while it does not, all that the buffer holds. `stats().waiting` is that number at any moment.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
import time
import uuid
import weakref
import zlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from . import preparing
from .batching import Batcher, Record
from .errors import BufferFull, InvalidEvent, ProducerClosed
from .limits import Limits, WhenFull
from .outbox import Outbox
from .stats import Stats

LOGGER = logging.getLogger("amp_events")
"""Says what went wrong, by counts and error codes; never what an event holds."""


class Kinesis(Protocol):
    """The one call that a producer makes; a boto3 Kinesis client has it."""

    @property
    def put_records(self) -> Callable[..., Any]:
        """Put up to 500 records on a stream."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsent:
    """Events that were taken and will not be sent: what `on_failure` gets.

    `lines` are the events as JSON, one each; `reason` is the last error code of the service, or `closed`. An event
    whose call was cut off may be on the stream all the same: its `event_id` tells.
    """

    lines: tuple[bytes, ...]
    reason: str
    attempts: int


class EventProducer:
    """A thread-safe producer: `put` checks and keeps an event, a background thread batches and sends.

    Delivery is at least once: a call that fails half-way is repeated, and `event_id` tells a duplicate. Order is kept
    only among events of one key, where `key` is given.

    After a fork the child starts with an empty buffer and a client of its own (the parent keeps and sends what it
    took); a `kinesis` client that was handed in is shared with the child, so make the producer after the fork then.

    Example:
        >>> with EventProducer("events") as producer:  # doctest: +SKIP
        ...     producer.put({"event_type": "like", "occurred_at": 1794998400123, "show": {"id": "show-1041"}})
    """

    def __init__(
        self,
        stream: str,
        *,
        kinesis: Kinesis | None = None,
        key: Callable[[Mapping[str, object]], str] | None = None,
        limits: Limits | None = None,
        when_full: WhenFull = WhenFull.RAISE,
        allow_unknown: bool = False,
        on_failure: Callable[[Unsent], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        """Make a producer; its thread starts with the first event.

        Args:
            stream: name or ARN of the Kinesis data stream.
            kinesis: client to use, with its own time-outs and retries; made with short ones when absent.
            key: asks for order: events of equal keys arrive in the order in which they were put. They share records,
                and a refused record holds back those behind it in its lane. Without it records go to random shards.
            limits: sizes and times.
            when_full: what `put` does when the buffer is full.
            allow_unknown: take events whose type this release of the client does not know, unchecked.
            on_failure: gets what was given up, from the background thread (or from `close`); it should be quick.
            clock: seconds that only grow; for tests.
            now_ms: the time of day in epoch milliseconds, for `sent_at`.
        """
        if not stream:
            raise ValueError("stream is empty; give the name or the ARN of a Kinesis data stream")
        self._target = {"StreamARN" if stream.startswith("arn:") else "StreamName": stream}
        self._own_client = kinesis is None
        self._kinesis: Kinesis | None = kinesis or _client()
        self._key = key
        self._limits = limits or Limits()
        self._when_full = WhenFull(when_full)
        self._allow_unknown = allow_unknown
        self._on_failure = on_failure
        self._clock = clock
        self._now_ms = now_ms
        preparing.contracts()  # read and compiled now, not at the first request
        self._begin()
        _PRODUCERS.add(self)

    def _begin(self) -> None:
        """The state of a producer that took nothing yet; again in a forked child."""
        self._changed = threading.Condition()
        self._batcher = Batcher(self._limits)
        self._outbox = Outbox(self._limits)
        self._counts: Counter[str] = Counter()
        self._waiting_bytes = 0
        self._closing = False
        self._thread: threading.Thread | None = None

    def put(self, event: Mapping[str, object]) -> None:
        """Take an event; it travels as it is now, whatever happens to the mapping afterwards.

        Raises:
            InvalidEvent: it breaks its contract; nothing was taken.
            BufferFull: there is no room (after `block_s` with `WhenFull.BLOCK`); nothing was taken.
            ProducerClosed: `close` was called; nothing was taken.
        """
        try:
            line = preparing.line(event, now_ms=self._now_ms, allow_unknown=self._allow_unknown)
        except InvalidEvent:
            with self._changed:
                self._counts["invalid"] += 1
            raise
        lane = None if self._key is None else zlib.crc32(self._key(event).encode()) % self._limits.lanes
        with self._changed:
            self._refuse_when_closing()
            if not self._has_room(line) and not self._wait_for_room(line):
                return
            self._start()
            waited = self._batcher.deadline() is not None
            sealed = self._batcher.add(line, lane=lane, now=self._clock())
            self._outbox.extend(sealed)
            self._counts["accepted"] += 1
            self._counts["waiting"] += 1
            self._waiting_bytes += len(line)
            if sealed or not waited:  # else the thread wakes in time by itself
                self._changed.notify_all()

    def flush(self, timeout_s: float | None = None) -> int:
        """Send now what was put so far, and wait until it is sent or given up.

        Returns how many events wait still: 0 unless `timeout_s` (default: `Limits.close_s`) ran out.
        """
        with self._changed:
            self._seal_all()
            asked = self._outbox.records()
            self._changed.wait_for(lambda: all(record.settled for record in asked), self._or_close_s(timeout_s))
            return sum(len(record.lines) for record in asked if not record.settled)

    def close(self, timeout_s: float | None = None) -> int:
        """Refuse further events, send what was taken, stop the thread. Closing again does nothing.

        Returns how many events were not sent for certain when `timeout_s` (default: `Limits.close_s`) ran out;
        `on_failure` gets them, and a warning says so. Events given up after all their attempts are not among them.
        """
        ends_at = time.monotonic() + self._or_close_s(timeout_s)
        with self._changed:
            self._closing = True
            self._seal_all()
            self._changed.wait_for(lambda: not len(self._outbox), ends_at - time.monotonic())
            thread = self._thread
            left = self._outbox.abandon()
            count = self._forget(left, "unsent")
            self._changed.notify_all()
        if count:
            LOGGER.warning("closed with %d events not sent", count)
        self._report(left, reason="closed")
        if thread is not None and thread is not threading.current_thread():
            thread.join(max(ends_at - time.monotonic(), 0))  # it may be reporting what it gave up
        _PRODUCERS.discard(self)
        return count

    def stats(self) -> Stats:
        """What was done so far, as one consistent snapshot."""
        with self._changed:
            return Stats(**self._counts)

    def __enter__(self) -> EventProducer:
        """The producer itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close, with the time that `Limits.close_s` gives."""
        self.close()

    def _or_close_s(self, timeout_s: float | None) -> float:
        return self._limits.close_s if timeout_s is None else timeout_s

    def _seal_all(self) -> None:
        self._outbox.extend(self._batcher.seal_all())
        self._changed.notify_all()

    def _refuse_when_closing(self) -> None:
        if self._closing:
            raise ProducerClosed("the event was not taken: the producer is closed; make a new one")

    def _has_room(self, line: bytes) -> bool:
        bytes_fit = self._waiting_bytes + len(line) <= self._limits.buffer_bytes
        return bytes_fit and self._counts["waiting"] < self._limits.buffer_events

    def _wait_for_room(self, line: bytes) -> bool:
        """Whether there is room after all; where there is none, the policy decides."""
        if self._when_full is WhenFull.BLOCK:
            self._changed.wait_for(lambda: self._closing or self._has_room(line), self._limits.block_s)
            self._refuse_when_closing()
            if self._has_room(line):
                return True
        self._counts["dropped"] += 1
        if self._when_full is WhenFull.DROP:
            return False
        raise BufferFull(
            f"the event was not taken: {self._counts['waiting']} events of {self._waiting_bytes} bytes wait to be "
            f"sent; Limits allow {self._limits.buffer_events} and {self._limits.buffer_bytes}: put fewer, give "
            "larger Limits, or look in the log of amp_events for why the stream does not take them"
        )

    def _start(self) -> None:
        if self._thread is None:
            # A daemon, so that a call that hangs cannot keep the process; leaving the process closes the producer.
            self._thread = threading.Thread(target=self._send_until_closed, name="amp-events-sender", daemon=True)
            self._thread.start()

    def _send_until_closed(self) -> None:
        while records := self._next_call():
            answer = self._call(records)
            with self._changed:
                given_up = self._settle(records, answer)
                self._changed.notify_all()
            self._report(given_up)

    def _next_call(self) -> list[Record]:
        """The records of the next call, as soon as there are any; empty when the producer is closed and has none."""
        with self._changed:
            while True:
                now = self._clock()
                self._outbox.extend(self._batcher.due(now))
                if records := self._outbox.take(now):
                    self._counts["retried"] += sum(record.attempts > 1 for record in records)
                    return records
                if self._closing and not len(self._outbox):
                    return []
                times = [at for at in (self._batcher.deadline(), self._outbox.wake_at()) if at is not None]
                self._changed.wait(max(min(times) - now, 0) if times else None)

    def _call(self, records: Sequence[Record]) -> list[str] | str:
        """Put records on the stream: the error code of each (empty: it is there), or that of the whole call."""
        entries = [{"Data": record.data, "PartitionKey": _partition_key(record)} for record in records]
        try:
            if self._kinesis is None:
                self._kinesis = _client()
            answer = self._kinesis.put_records(**self._target, Records=entries)
            codes = [str(entry.get("ErrorCode") or "") for entry in answer["Records"]]
            return codes if len(codes) == len(records) else "IncompleteAnswer"
        except Exception as error:
            # Whatever it is, the records wait for another attempt, and the thread lives on.
            return _code(error)

    def _settle(self, records: Sequence[Record], answer: list[str] | str) -> list[Record]:
        now = self._clock()
        sent: list[Record] = []
        if isinstance(answer, str):
            LOGGER.warning("a call with %d records failed: %s", len(records), answer)
            given_up = self._outbox.fail(records, answer, now=now)
        else:
            if refused := Counter(code for code in answer if code):
                LOGGER.info("the stream refused %d of %d records: %s", refused.total(), len(records), dict(refused))
            sent, given_up = self._outbox.settle(records, answer, now=now)
        self._forget(sent, "sent")
        for record in sent:
            self._counts["records"] += 1
            self._counts["bytes"] += record.size
            self._counts["bytes_saved"] += record.bytes_saved
        if given_up:
            LOGGER.error("gave up %d events after all attempts", self._forget(given_up, "given_up"))
        return given_up

    def _forget(self, records: Sequence[Record], fate: str) -> int:
        """Count the events of settled records under their fate and free their room."""
        count = sum(len(record.lines) for record in records)
        self._counts[fate] += count
        self._counts["waiting"] -= count
        self._waiting_bytes -= sum(len(line) for record in records for line in record.lines)
        return count

    def _report(self, records: Sequence[Record], *, reason: str = "") -> None:
        if self._on_failure is None:
            return
        for record in records:
            unsent = Unsent(lines=tuple(record.lines), reason=reason or record.error, attempts=record.attempts)
            try:
                self._on_failure(unsent)
            except Exception as error:
                # The application's fault must not stop the sending of other events.
                LOGGER.error("on_failure raised %s", type(error).__name__)

    def _begin_in_child(self) -> None:
        self._begin()
        if self._own_client:
            self._kinesis = None  # its connections are the parent's


_PRODUCERS: weakref.WeakSet[EventProducer] = weakref.WeakSet()
"""Producers that are not closed; a producer that took an event lives as long as its thread."""


@atexit.register
def _close_all() -> None:
    for producer in list(_PRODUCERS):
        producer.close()


def _begin_all_in_child() -> None:
    for producer in list(_PRODUCERS):
        producer._begin_in_child()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_all_in_child)


def _partition_key(record: Record) -> str:
    # A new one for each attempt: what a busy shard refused may find room on another.
    return uuid.uuid4().hex if record.lane is None else f"lane-{record.lane}"


def _code(error: Exception) -> str:
    answer = getattr(error, "response", None)
    code = answer.get("Error", {}).get("Code") if isinstance(answer, dict) else None
    return str(code or type(error).__name__)


def _client() -> Kinesis:
    """A client that leaves retries to the producer and never hangs for long; it belongs to one producer alone."""
    import boto3  # here, so that an application that hands its own client in pays for no second import
    from botocore.config import Config

    config = Config(connect_timeout=3, read_timeout=10, retries={"total_max_attempts": 1}, max_pool_connections=1)
    return boto3.session.Session().client("kinesis", config=config)
