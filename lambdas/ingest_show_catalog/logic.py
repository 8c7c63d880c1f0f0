"""Bring each message of a batch to its end: published, dead-lettered, or failed alone; it makes no client."""

from __future__ import annotations

import time
import traceback
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from lambdas.ingest_show_catalog.entry import Entry, build
from lambdas.ingest_show_catalog.messages import Change, read_change
from lambdas.ingest_show_catalog.outcomes import (
    METRIC_API_UNAUTHORIZED,
    METRIC_DEAD_LETTERED,
    METRIC_MESSAGES_FAILED,
    METRIC_MISSING_OPTIONAL_COLUMNS,
    METRIC_UNKNOWN_FIELDS,
    METRICS,
)
from lambdas.shared.dead_letters import DeadLetter
from lambdas.shared.failures import CanNeverSucceedError, MayYetSucceedError

RESERVED_SECONDS = 10.0
"""Time of the invocation that is kept for the stream and the dead-letter queue."""


class Catalog(Protocol):
    """Whom to ask for a show: `CatalogApi`, or a test's."""

    def show(self, show_id: str, *, within_seconds: float, counts: Counter[str]) -> bytes:
        """Body of the answer. Raises `CanNeverSucceedError` or `MayYetSucceedError`."""
        ...


class Stream(Protocol):
    """Where entries go: `EntryStream`, or a test's."""

    def put(
        self, entries: Sequence[Entry], *, remaining_seconds: Callable[[], float], counts: Counter[str]
    ) -> dict[str, str]:
        """Show ids whose entries did not get there, and why."""
        ...


class DeadLetters(Protocol):
    """Where hopeless messages go: `DeadLetterQueue`, or a test's."""

    def send(self, letters: Sequence[DeadLetter]) -> dict[str, str]:
        """Ids of messages that did not get there, and why."""
        ...


class Log(Protocol):
    """Where to say what happened: Powertools' logger, or a test's."""

    def info(self, msg: object, *, extra: Mapping[str, object] | None = None) -> None:
        """For whoever looks."""
        ...

    def warning(self, msg: object, *, extra: Mapping[str, object] | None = None) -> None:
        """For whoever asks about one message."""
        ...

    def error(self, msg: object, *, extra: Mapping[str, object] | None = None) -> None:
        """For whoever runs the platform."""
        ...


@dataclass(slots=True)
class Outcome:
    """What became of a batch. Each message id is in exactly one of the three."""

    published: set[str] = field(default_factory=set)
    dead_lettered: dict[str, DeadLetter] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    """Message id to the sentence that says why it goes back to the queue."""
    counts: Counter[str] = field(default_factory=lambda: Counter(dict.fromkeys(METRICS, 0)))
    """Metric name to count."""

    def settle(self, message_id: str) -> None:
        """Return when the message may be deleted.

        Raises:
            MayYetSucceedError: it goes back to the queue. So does one that nothing is known about.
        """
        if message_id not in self.published and message_id not in self.dead_lettered:
            raise MayYetSucceedError(self.failed.get(message_id, "Nothing became of the message."))

    def log_to(self, log: Log) -> None:
        """Say what happened; no line holds a value of a show or a message."""
        for message_id, why in self.failed.items():
            log.warning("message goes back to the queue", extra={"message_id": message_id, "reason": why})
        for one in self.dead_lettered.values():
            fields = {"message_id": one.message_id, "reason_code": one.reason_code, "reason": one.reason}
            log.warning("message went to the dead-letter queue", extra=fields)
        if self.counts[METRIC_API_UNAUTHORIZED]:
            log.error("the catalog service's token is missing or refused; set the secret's value")
        log.info("batch done", extra={"counts": dict(self.counts)})


def ingest(
    records: Sequence[Mapping[str, Any]],
    *,
    catalog: Catalog,
    stream: Stream,
    dead_letters: DeadLetters,
    remaining_seconds: Callable[[], float],
    filtered_fields: Collection[str] = (),
) -> Outcome:
    """Publish the shows that a batch of change messages names; each show is asked for and published once.

    Shows are asked for one after the other, each within its fair part of the remaining time, so that one to which the
    service does not answer cannot use up the time of the rest.

    Args:
        records: `Records` of an SQS event.
        catalog: the catalog service.
        stream: takes the entries.
        dead_letters: takes what can never succeed.
        remaining_seconds: time left of the invocation.
        filtered_fields: as in `entry.build`.
    """
    outcome = Outcome()
    letters: list[DeadLetter] = []
    bodies = {record["messageId"]: record["body"] for record in records}

    def refuse(message_ids: Collection[str], error: CanNeverSucceedError) -> None:
        letters.extend(
            DeadLetter(message_id=one, body=bodies[one], reason_code=error.code, reason=error.sentence)
            for one in message_ids
        )

    changes: dict[str, list[Change]] = {}
    for record in records:
        try:
            change = read_change(record)
        except CanNeverSucceedError as error:
            refuse([record["messageId"]], error)
        except Exception as error:
            outcome.failed[record["messageId"]] = _why(error)
        else:
            changes.setdefault(change.show_id, []).append(change)

    entries: list[Entry] = []
    for number, (show_id, announced) in enumerate(changes.items()):
        message_ids = [change.message_id for change in announced]
        try:
            answer = catalog.show(
                show_id,
                within_seconds=max(0.0, remaining_seconds() - RESERVED_SECONDS) / (len(changes) - number),
                counts=outcome.counts,
            )
            entries.append(
                build(
                    answer,
                    show_id=show_id,
                    changed_at=max(announced, key=lambda change: change.sent_ms).changed_at,
                    now_ms=int(time.time() * 1000),
                    filtered_fields=filtered_fields,
                )
            )
        except CanNeverSucceedError as error:
            refuse(message_ids, error)
        except Exception as error:
            outcome.failed.update(dict.fromkeys(message_ids, _why(error)))

    refused = stream.put(entries, remaining_seconds=remaining_seconds, counts=outcome.counts) if entries else {}
    for entry in entries:
        message_ids = [change.message_id for change in changes[entry.show_id]]
        if entry.show_id in refused:
            outcome.failed.update(dict.fromkeys(message_ids, refused[entry.show_id]))
        else:
            outcome.published.update(message_ids)
            outcome.counts[METRIC_MISSING_OPTIONAL_COLUMNS] += entry.missing_optional_columns
            outcome.counts[METRIC_UNKNOWN_FIELDS] += entry.unknown_fields

    unsent = dead_letters.send(letters) if letters else {}
    outcome.failed.update(unsent)
    outcome.dead_lettered = {one.message_id: one for one in letters if one.message_id not in unsent}
    outcome.counts[METRIC_DEAD_LETTERED] += len(outcome.dead_lettered)
    outcome.counts[METRIC_MESSAGES_FAILED] += len(outcome.failed)
    return outcome


def _why(error: Exception) -> str:
    """What to say of an error. One that nobody foresaw must not take the other messages with it: kind and place.

    Its text is left out, because it may quote personal values.
    """
    if isinstance(error, MayYetSucceedError):
        return str(error)
    place = traceback.extract_tb(error.__traceback__)[-1]
    return f"An unforeseen {type(error).__name__} at {place.filename}:{place.lineno}."
