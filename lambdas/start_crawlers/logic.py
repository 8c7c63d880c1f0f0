"""Bring each message of a batch to its end: covered by a crawl, dead-lettered, or asked again later; makes no client.

A crawl covers a message when it began late enough after the message came: the crawler then found the same message in
its own queue. A message is done only when such a crawl has ended well, so that nothing is lost wherever the function
dies or a crawl fails, and a start that was made before it died is found instead of made again.
"""

from __future__ import annotations

import random
import traceback
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from lambdas.shared.dead_letters import DeadLetter
from lambdas.shared.failures import CanNeverSucceedError, error_name
from lambdas.start_crawlers.crawlers import Crawl
from lambdas.start_crawlers.messages import Announcement, read_announcement, unknown_prefix
from lambdas.start_crawlers.settings import (
    METRIC_CRAWLERS_STARTED,
    METRIC_FILES_COVERED,
    METRIC_MESSAGES_POSTPONED,
    METRIC_STARTS_FAILED,
    METRIC_UNKNOWN_PREFIX,
    METRICS,
)

FIRST_WAIT_SECONDS = 30
"""How long a message waits after its first receipt; twice as long after each further one. A crawl takes minutes."""

LONGEST_WAIT_SECONDS = 900
"""How long it waits at most: after a crawl of hours, the files that came meanwhile wait no longer than this."""

SPREAD = 0.2
"""By how much of itself a wait may be longer, so that batches that failed together do not come back together."""

RESERVED_SECONDS = 20.0
"""Time of the invocation that is kept for postponing and for the dead-letter queue."""


class Crawlers(Protocol):
    """Whom to ask about crawls: `GlueCrawlers`, or a test's."""

    def crawls(self, dataset: str) -> Sequence[Crawl]:
        """The newest crawls."""
        ...

    def start(self, dataset: str) -> bool:
        """Start a crawl; False when one is running."""
        ...


class DeadLetters(Protocol):
    """Where hopeless messages go: `DeadLetterQueue`, or a test's."""

    def send(self, letters: Sequence[DeadLetter]) -> dict[str, str]:
        """Ids of messages that did not get there, and why."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Postponement:
    """A message that must come again, and in how many seconds."""

    message_id: str
    receipt_handle: str
    seconds: int


class Source(Protocol):
    """The queue that the messages are from: `SourceQueue`, or a test's."""

    def postpone(self, postponements: Sequence[Postponement]) -> list[str]:
        """Hide messages; names of what went wrong."""
        ...


class Log(Protocol):
    """Where to say what happened: Powertools' logger, or a test's."""

    def info(self, msg: object, *, extra: Mapping[str, object] | None = None) -> None:
        """For whoever looks."""
        ...

    def warning(self, msg: object, *, extra: Mapping[str, object] | None = None) -> None:
        """For whoever asks about one dataset or message."""
        ...


@dataclass(slots=True)
class Outcome:
    """What became of a batch. Each message id is in exactly one of the three."""

    done: set[str] = field(default_factory=set)
    dead_lettered: dict[str, DeadLetter] = field(default_factory=dict)
    postponed: dict[str, str] = field(default_factory=dict)
    """Message id to the sentence that says why it goes back to the queue."""
    started: list[str] = field(default_factory=list)
    """Datasets whose crawlers were started."""
    not_postponed: list[str] = field(default_factory=list)
    """Names of errors for which messages come back after the queue's own visibility time-out."""
    counts: Counter[str] = field(default_factory=lambda: Counter(dict.fromkeys(METRICS, 0)))
    """Metric name to count."""

    def answer(self, records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """What Lambda is told: each of ``records`` that is not known to be at its end has failed."""
        ended = self.done | set(self.dead_lettered)
        failed = [record["messageId"] for record in records if record["messageId"] not in ended]
        return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}

    def log_to(self, log: Log) -> None:
        """Say what happened; no line names a file."""
        for why, messages in Counter(self.postponed.values()).items():
            log.info("messages go back to the queue", extra={"reason": why, "messages": messages})
        for one in self.dead_lettered.values():
            fields = {"message_id": one.message_id, "reason_code": one.reason_code, "reason": one.reason}
            log.warning("message went to the dead-letter queue", extra=fields)
        if self.not_postponed:
            log.warning("messages come back when the queue lets them", extra={"errors": self.not_postponed})
        log.info("batch done", extra={"started": self.started, "counts": dict(self.counts)})


def start_crawlers(
    records: Sequence[Mapping[str, Any]],
    *,
    crawlers: Crawlers,
    source: Source,
    dead_letters: DeadLetters,
    clock: Callable[[], float],
    remaining_seconds: Callable[[], float],
    settling_seconds: float,
    held_seconds: float,
    jitter: Callable[[], float] = random.random,
) -> Outcome:
    """Have every dataset crawled whose files a batch of messages names, each once at most.

    Args:
        records: `Records` of an SQS event.
        crawlers: the crawlers of the datasets.
        source: the queue that the records are from.
        dead_letters: takes messages about files of no dataset.
        clock: the present, in epoch seconds.
        remaining_seconds: time left of the invocation.
        settling_seconds: how long after a message came a crawl must begin to cover it.
        held_seconds: for how long after a failed crawl its crawler does not get back what that crawl had read.
        jitter: 0 to 1, how much of the spread a wait takes.
    """
    outcome = Outcome()
    announcements: list[Announcement] = []
    letters: list[DeadLetter] = []
    for record in records:
        try:
            announcements.append(read_announcement(record))
        except CanNeverSucceedError as error:
            letters.append(_letter(record["messageId"], record["body"], error))
        except Exception as error:
            outcome.postponed[record["messageId"]] = f"The message could not be read: {_kind(error)}."

    for dataset in sorted({name for one in announcements for name in one.datasets}):
        named = [one for one in announcements if dataset in one.datasets]
        try:
            if remaining_seconds() < RESERVED_SECONDS:
                raise TimeoutError
            state = _State(crawls=crawlers.crawls(dataset), settling_s=settling_seconds, held_s=held_seconds)
            outcome.postponed |= _crawl(dataset, named, crawlers, state, clock, outcome)
        except Exception as error:
            outcome.counts[METRIC_STARTS_FAILED] += 1
            why = f"The crawler of {dataset} could not be asked or started: {_kind(error)}."
            outcome.postponed |= _all(named, why)

    ended = [one for one in announcements if one.message_id not in outcome.postponed]
    letters += [_letter(one.message_id, one.body, unknown_prefix()) for one in ended if one.foreign]
    outcome.done = {one.message_id for one in ended if not one.foreign}
    outcome.counts[METRIC_FILES_COVERED] += sum(one.files for one in ended)
    outcome.counts[METRIC_UNKNOWN_PREFIX] += sum(one.foreign for one in ended)

    spread = 1 + SPREAD * jitter()
    later = [_postponement(one, spread) for one in announcements if one.message_id in outcome.postponed]
    outcome.not_postponed = source.postpone(later) if later else []
    unsent = dead_letters.send(letters) if letters else {}
    outcome.dead_lettered = {one.message_id: one for one in letters if one.message_id not in unsent}
    outcome.postponed.update(unsent)
    outcome.counts[METRIC_MESSAGES_POSTPONED] += len(outcome.postponed)
    return outcome


@dataclass(frozen=True, kw_only=True, slots=True)
class _State:
    """What is known of a dataset's crawls."""

    crawls: Sequence[Crawl]
    settling_s: float
    held_s: float

    @property
    def running(self) -> bool:
        """Whether the crawler runs."""
        return any(crawl.ended_s is None for crawl in self.crawls)

    @property
    def held_until_s(self) -> float:
        """Until when a failed crawl keeps messages of the crawler's queue to itself."""
        return max((crawl.ended_s + self.held_s for crawl in self.crawls if crawl.failed and crawl.ended_s), default=0)

    def settled(self, one: Announcement, at_s: float) -> bool:
        """Whether a crawl that began then would have heard of the message."""
        return one.arrived_s + self.settling_s <= at_s

    def covering(self, one: Announcement) -> Crawl | None:
        """A crawl that covers the message, one that has ended before one that runs."""
        found = [
            crawl
            for crawl in self.crawls
            if not crawl.failed and self.settled(one, crawl.began_s) and not self._withheld(one, crawl)
        ]
        return min(found, key=lambda crawl: crawl.ended_s is None, default=None)

    def _withheld(self, one: Announcement, crawl: Crawl) -> bool:
        """Whether a failed crawl may have kept the message from a later one."""
        return any(
            other.failed
            and other.ended_s is not None
            and one.arrived_s <= other.ended_s
            # It began before, and had not let go of what it read when the other began.
            and other.began_s <= crawl.began_s < other.ended_s + self.held_s
            for other in self.crawls
        )


def _crawl(
    dataset: str,
    named: Sequence[Announcement],
    crawlers: Crawlers,
    state: _State,
    clock: Callable[[], float],
    outcome: Outcome,
) -> dict[str, str]:
    """Messages of the dataset that are not done, each with why; a crawler is started for them if that helps."""
    covering = {one.message_id: state.covering(one) for one in named}
    left = [one for one in named if covering[one.message_id] is None]
    waiting = [one for one in named if (crawl := covering[one.message_id]) and crawl.ended_s is None]
    postponed = _all(waiting, f"The crawl of {dataset} that covers its files is running.")
    now = clock()  # before the call, so that the crawl begins no earlier
    new = [one for one in left if not state.settled(one, now)]
    postponed |= _all(left, f"Its files are too new for a crawl of {dataset} to find all of them.")
    if len(new) == len(left):
        return postponed
    if now < state.held_until_s:
        why = f"A crawl of {dataset} failed, and what it read of its queue is not back there yet."
    elif state.running or not crawlers.start(dataset):
        why = f"The crawler of {dataset} is running, since before all of its files were there."
    else:
        outcome.started.append(dataset)
        outcome.counts[METRIC_CRAWLERS_STARTED] += 1
        why = f"The crawler of {dataset} was started for its files."
    return postponed | _all([one for one in left if one not in new], why)


def _all(messages: Sequence[Announcement], why: str) -> dict[str, str]:
    return dict.fromkeys((one.message_id for one in messages), why)


def _postponement(one: Announcement, spread: float) -> Postponement:
    doublings = min(one.receives - 1, 10)
    seconds = min(LONGEST_WAIT_SECONDS, int(FIRST_WAIT_SECONDS * 2**doublings * spread))
    return Postponement(message_id=one.message_id, receipt_handle=one.receipt_handle, seconds=seconds)


def _letter(message_id: str, body: str, error: CanNeverSucceedError) -> DeadLetter:
    return DeadLetter(message_id=message_id, body=body, reason_code=error.code, reason=error.sentence)


def _kind(error: Exception) -> str:
    """An error's name, and where it came from when no service sent it; never its text, which may quote values."""
    if hasattr(error, "response"):
        return error_name(error)
    place = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} at {place.filename}:{place.lineno}"
