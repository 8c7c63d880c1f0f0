"""What is sent in a rehearsal, and when: the timeline of show changes and events, and the ledger of what was taken."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from botocore.exceptions import ClientError

from rehearsal.scenario.accounting import SentEvent, SentMessage, digest
from rehearsal.scenario.aggregation import aggregate
from rehearsal.scenario.catalog_service import CatalogService
from rehearsal.scenario.deployment import Deployed

MAX_RECORDS = 500
MAX_BYTES = 4_500_000
MAX_RECORD_BYTES = 1024 * 1024
MAX_SHARED_BYTES = 25_000
"""Most bytes of a record that holds several events; one event alone may be larger."""
PUT_ATTEMPTS = 5
TOPIC_BATCH = 10


@dataclass(frozen=True, kw_only=True)
class Event:
    """An event to put: its line, and what is promised for it (empty: whatever). `at_s` is when, in virtual seconds.

    Events that follow one another and name the same `record` share a record of the stream, a line each or, if they are
    `aggregated`, in the Kinesis Producer Library's format; one that names none has a record of its own.
    """

    at_s: float
    line: bytes
    type: str
    event_id: str | None
    expected: str = ""
    record: str = ""
    aggregated: bool = False


@dataclass(frozen=True, kw_only=True)
class Change:
    """A show change to announce; `show` is what the catalog service answers from then on (None: no such show)."""

    at_s: float
    body: str
    show_id: str | None
    version: int | None = None
    show: dict[str, Any] | None = None
    expected: str = ""


@dataclass(kw_only=True)
class Ledger:
    """What stream and topic took; `too_large` for the stream, and how many records it `refused` before it took them.

    `not_taken` says what a whole call was refused for, with how many events or show changes it held.
    """

    events: list[SentEvent] = field(default_factory=list)
    messages: list[SentMessage] = field(default_factory=list)
    too_large: list[str] = field(default_factory=list)
    records: int = 0
    refused: int = 0
    not_taken: list[str] = field(default_factory=list)


def event_of(line: bytes, *, at_s: float, expected: str = "") -> Event:
    """An event as a producer's line says it is; what cannot be read has no type and no id."""
    try:
        body = json.loads(line, parse_float=Decimal)
    except (ValueError, ArithmeticError, RecursionError):
        body = None
    found = body if isinstance(body, dict) else {}
    kind, name = found.get("event_type"), found.get("event_id")
    if isinstance(name, int | Decimal) and not isinstance(name, bool):
        name = str(name)
    return Event(
        at_s=at_s,
        line=line,
        type=kind if isinstance(kind, str) and kind else "without a type",
        event_id=name if isinstance(name, str) and name else None,
        expected=expected,
    )


class Traffic:
    """Sends what is due, as the applications outside the platform do, with their roles."""

    def __init__(self, deployed: Deployed, catalog: CatalogService) -> None:
        """Begin with an empty ledger."""
        self.ledger = Ledger()
        self._deployed = deployed
        self._catalog = catalog
        engine = deployed.engine
        self._kinesis = engine.client("kinesis", deployed.producer_role)
        self._sns = engine.client("sns", deployed.publisher_role)

    def send(
        self,
        changes: Iterable[Change],
        events: Iterable[Event],
        *,
        tick_s: float,
        on_progress: Callable[[int], None],
    ) -> None:
        """Send all at their times, in steps of `tick_s`, letting the platform work in between.

        `on_progress` is told how many have been sent.
        """
        engine = self._deployed.engine
        everything: list[Change | Event] = [*changes, *events]
        waiting = sorted(everything, key=lambda item: item.at_s)
        place = 0
        while place < len(waiting):
            until = max(engine.clock.time(), waiting[place].at_s) + tick_s
            due: list[Change | Event] = []
            while place < len(waiting) and waiting[place].at_s < until:
                due.append(waiting[place])
                place += 1
            engine.advance(max(0.0, until - engine.clock.time()))
            self.announce([item for item in due if isinstance(item, Change)])
            self.put([item for item in due if isinstance(item, Event)])
            on_progress(place)

    def announce(self, changes: Sequence[Change]) -> None:
        """Let the catalog service know the shows, then tell the topic that they changed."""
        for change in changes:
            if change.show is not None:
                self._catalog.put(change.show)
        for start in range(0, len(changes), TOPIC_BATCH):
            batch = changes[start : start + TOPIC_BATCH]
            entries = [{"Id": str(number), "Message": change.body} for number, change in enumerate(batch)]
            try:
                answer = self._sns.publish_batch(TopicArn=self._deployed.topic_arn, PublishBatchRequestEntries=entries)
            except ClientError as error:
                self.ledger.not_taken.append(f"{len(batch)} show changes by the topic: {error}")
                continue
            ids = {entry["Id"]: entry["MessageId"] for entry in answer["Successful"]}
            for number, change in enumerate(batch):
                self.ledger.messages.append(
                    SentMessage(
                        message_id=ids[str(number)],
                        show_id=change.show_id,
                        version=change.version,
                        expected=change.expected,
                    )
                )

    def put(self, events: Sequence[Event]) -> None:
        """Put events on the stream, those of one record together, refused records again, whole and alone."""
        fitting = [event for event in events if len(event.line) + 1 <= MAX_RECORD_BYTES]
        self.ledger.too_large += [
            f"{event.type} of {len(event.line):,} bytes" for event in events if len(event.line) + 1 > MAX_RECORD_BYTES
        ]
        for batch in _batches(_records(fitting)):
            self._put_batch(batch)

    def _put_batch(self, batch: list[list[Event]]) -> None:
        for _ in range(PUT_ATTEMPTS):
            entries = [
                {
                    "Data": _data(record),
                    "PartitionKey": record[0].event_id or str(len(self.ledger.events) + number),
                }
                for number, record in enumerate(batch)
            ]
            try:
                answers = self._kinesis.put_records(StreamARN=self._deployed.stream_arn, Records=entries)["Records"]
            except ClientError as error:
                self.ledger.not_taken.append(f"{sum(map(len, batch))} events by the stream: {error}")
                return
            refused = []
            for record, answer in zip(batch, answers, strict=True):
                if answer.get("ErrorCode"):
                    refused.append(record)
                    continue
                self.ledger.records += 1
                self.ledger.events += [
                    SentEvent(
                        type=event.type,
                        event_id=event.event_id,
                        sequence_number=answer["SequenceNumber"],
                        expected=event.expected,
                        digest=digest(event.line),
                    )
                    for event in record
                ]
            self.ledger.refused += len(refused)
            if not refused:
                return
            batch = refused
        raise RuntimeError(f"the stream refused {len(batch)} records {PUT_ATTEMPTS} times; a producer would give up")


def _data(record: Sequence[Event]) -> bytes:
    if record[0].aggregated:
        return aggregate([(event.event_id or event.type, event.line) for event in record])
    return b"".join(event.line + b"\n" for event in record)


def _records(events: Sequence[Event]) -> list[list[Event]]:
    records: list[list[Event]] = []
    name, size = "", 0
    for event in events:
        size += len(event.line) + 1
        if not event.record or event.record != name or size > MAX_SHARED_BYTES:
            records.append([])
            name, size = event.record, len(event.line) + 1
        records[-1].append(event)
    return records


def _batches(records: Sequence[list[Event]]) -> list[list[list[Event]]]:
    batches: list[list[list[Event]]] = []
    size = MAX_BYTES + 1
    for record in records:
        length = sum(len(event.line) + 1 for event in record)
        if size + length > MAX_BYTES or len(batches[-1]) == MAX_RECORDS:
            batches.append([])
            size = 0
        batches[-1].append(record)
        size += length + 100
    return batches
