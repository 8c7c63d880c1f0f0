"""Hold what was sent against what arrived: every event landed, quarantined or dead-lettered, or missing by name.

Pure: takes what others sent and read, gives the account; it reads no service and prints nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

TOPIC = "show changes"


@dataclass(frozen=True, slots=True, kw_only=True)
class SentEvent:
    """An event that the stream accepted.

    `event_id` is the producer's, or None where it sent none; then the event is known by its place on the stream.
    `expected` is the outcome that is promised for it: `landed`, or `quarantined:<reason code>`; empty for whatever.
    `digest` is that of its bytes, by which it is known where nobody read them.
    """

    type: str
    event_id: str | None
    sequence_number: str
    expected: str = ""
    digest: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SentMessage:
    """A show change that the topic accepted. `show_id` is None for a message that names no show.

    `version` is the catalog's version that the change announced, where it announced one.
    """

    message_id: str
    show_id: str | None
    version: int | None = None
    expected: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A row that was read back from the lake.

    `reason` is set for quarantine rows only, `show_id` and `show_version` for catalog entries only. `derived` says that
    the platform made the event id, because the event held none that could be read.
    """

    event_id: str
    sequence_number: str
    type: str
    reason: str | None = None
    show_id: str | None = None
    show_version: int | None = None
    derived: bool = False

    @property
    def outcome(self) -> str:
        """What became of the event, in the words of `SentEvent.expected`."""
        return "landed" if self.reason is None else f"quarantined:{self.reason}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A message of a dead-letter queue: which one it was, and why, where a reason was given."""

    message_id: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenUp:
    """A record below Firehose's error prefix: its bytes as they came onto the stream, and the error's code."""

    line: bytes
    reason: str


@dataclass(slots=True, kw_only=True)
class Line:
    """The account of one type of event.

    sent - repeated = landed + quarantined + dead-lettered + given up + missing. `sent` counts every time that an event
    was sent, `repeated` the times after its first; `deliveries` are rows in the lake.
    """

    type: str
    sent: int = 0
    repeated: int = 0
    deliveries: int = 0
    landed: int = 0
    quarantined: Counter[str] = field(default_factory=Counter)
    dead_lettered: Counter[str] = field(default_factory=Counter)
    given_up: Counter[str] = field(default_factory=Counter)
    missing: list[str] = field(default_factory=list)

    @property
    def reasons(self) -> dict[str, int]:
        """Why events of this type did not land, with how many of them, each after the place where they are."""
        places = [("quarantine", self.quarantined), ("dead letter", self.dead_lettered), ("given up", self.given_up)]
        return {f"{place}, {reason}": count for place, counts in places for reason, count in sorted(counts.items())}

    @property
    def arrived_again(self) -> int:
        """Rows beyond one for each event: deliveries that are told by their event id."""
        return self.deliveries - self.landed - self.quarantined.total()


@dataclass(slots=True, kw_only=True)
class Account:
    """The whole account: a line a type, and what contradicts what was promised."""

    lines: list[Line]
    unexpected: list[str] = field(default_factory=list)

    @property
    def missing(self) -> list[str]:
        """Ids of all that was sent and is nowhere."""
        return [name for line in self.lines for name in line.missing]

    @property
    def closes(self) -> bool:
        """Whether every event is somewhere, where it was promised, and nothing came that nobody sent."""
        return not (self.missing or self.unexpected)


def account(
    events: Sequence[SentEvent],
    messages: Sequence[SentMessage],
    found: Iterable[Found],
    dead_letters: Sequence[DeadLetter],
    given_up: Iterable[GivenUp] = (),
) -> Account:
    """Account for every event and message.

    Args:
        events: what the stream accepted; a duplicate stands once for each time that it was sent.
        messages: what the topic accepted.
        found: every row of the lake, quarantine included.
        dead_letters: every message of every dead-letter queue.
        given_up: every record below Firehose's error prefix. It is accounted for, as given up, and yet unexpected:
            the platform promises a row for whatever a producer sends.
    """
    rows = _Rows(found)
    failed = _Failed(given_up)
    lines: dict[str, Line] = {}
    book = Account(lines=[])
    seen: set[str] = set()
    for event, claimed in zip(events, rows.claim(events), strict=True):
        line = lines.setdefault(event.type, Line(type=event.type))
        line.sent += 1
        line.deliveries += len(claimed)
        if event.event_id is not None and event.event_id in seen:
            line.repeated += 1  # what became of the event was entered at its first mention
            continue
        if event.event_id is not None:
            seen.add(event.event_id)
        _enter(event, claimed, failed, line, book)
    _settle_messages(messages, rows, failed, dead_letters, lines, book)
    book.unexpected += [f"a row that nobody sent: {row.type} {row.event_id}" for row in rows.unclaimed()]
    book.unexpected += failed.said()
    book.lines = [lines[name] for name in sorted(lines)]
    return book


class _Rows:
    """The rows that were read back, each claimed by one event at most."""

    def __init__(self, found: Iterable[Found]) -> None:
        self._by_id: dict[str, list[Found]] = defaultdict(list)
        self._ids_at: dict[str, list[str]] = defaultdict(list)
        for row in found:
            if row.event_id not in self._by_id:
                self._ids_at[row.sequence_number].append(row.event_id)
            self._by_id[row.event_id].append(row)
        self._claimed: set[str] = set()
        self._of_events: set[str] = set()

    def claim(self, events: Sequence[SentEvent]) -> list[list[Found]]:
        """The rows of each event; an event that is sent again gets none beside those of its first mention.

        Every id goes first to the event that carries it: events of one stream record share a place, and one that is
        lost must not take its neighbour's row. Only then is an event whose id nobody could read known by its place.
        """
        by_id = [self._take(event.event_id) for event in events]
        return [rows or self._take(self._at_place(event)) for event, rows in zip(events, by_id, strict=True)]

    def _take(self, name: str | None) -> list[Found]:
        if name is None or name not in self._by_id or name in self._claimed:
            return []
        self._claimed.add(name)
        self._of_events.add(name)
        return self._by_id[name]

    def _at_place(self, event: SentEvent) -> str | None:
        """A row of the event's stream record that carries no id of a producer, or is in quarantine.

        Of several, one that became what was promised: without ids nothing else tells lines of one record apart.
        """
        if event.event_id in self._by_id:
            return None
        free = [
            name
            for name in self._ids_at[event.sequence_number]
            if name not in self._claimed and any(row.derived or row.reason for row in self._by_id[name])
        ]
        return min(free, key=lambda name: self._by_id[name][0].outcome != event.expected, default=None)

    def holds_show(self, show_id: str, version: int | None) -> bool:
        """Whether the catalog entry of a show landed, at this version or a later one; claims all its rows.

        An entry that somebody put on the stream as an event is no answer to a change on the topic.
        """
        entries = [row for row in self._shows[show_id] if row.reason is None and row.event_id not in self._of_events]
        self._claimed.update(row.event_id for row in entries)
        if version is None:
            return bool(entries)
        return any(row.show_version is not None and row.show_version >= version for row in entries)

    def repeated_entries(self) -> int:
        """Catalog entries that landed again under the event id of one that had."""
        return sum(len(rows) - 1 for rows in self._by_id.values() if rows[0].show_id is not None)

    @cached_property
    def _shows(self) -> dict[str, list[Found]]:
        shows: dict[str, list[Found]] = defaultdict(list)
        for rows in self._by_id.values():
            for row in rows:
                if row.show_id is not None:
                    shows[row.show_id].append(row)
        return shows

    def unclaimed(self) -> list[Found]:
        """One row of each event that nobody claimed."""
        return [rows[0] for name, rows in self._by_id.items() if name not in self._claimed]


class _Failed:
    """The records that Firehose gave up, claimed by whoever knows their bytes or their show."""

    def __init__(self, given_up: Iterable[GivenUp]) -> None:
        self._all = list(given_up)
        self._by_digest: dict[str, list[int]] = defaultdict(list)
        self._shows: dict[str, list[tuple[int, int | None]]] = defaultdict(list)
        self._names: dict[int, str] = {}
        for place, one in enumerate(self._all):
            self._by_digest[digest(one.line)].append(place)
            show_id, version = _show_of(one.line)
            if show_id is not None:
                self._shows[show_id].append((place, version))

    def claim(self, event: SentEvent, name: str) -> str:
        """Why Firehose gave an event up; empty when it did not. Takes one record."""
        for place in self._by_digest.get(event.digest, ()):
            if place not in self._names:
                self._names[place] = f"{event.type} {name}"
                return self._all[place].reason
        return ""

    def claim_show(self, show_id: str, version: int | None) -> str:
        """Why Firehose gave the entry of a show up, at this version or a later one; empty when it did not."""
        for place, found in self._shows.get(show_id, ()):
            if version is None or (found is not None and found >= version):
                self._names[place] = f"the entry of show {show_id}"
                return self._all[place].reason
        return ""

    def said(self) -> list[str]:
        """A sentence a record."""
        return [
            f"Firehose gave {self._names.get(place, f'a record of {len(one.line):,} bytes')} up: {one.reason}; "
            "its bytes lie below the error prefix"
            for place, one in enumerate(self._all)
        ]


def digest(line: bytes) -> str:
    """By what an event's bytes are known; white space around them is no part of the event."""
    return hashlib.sha256(line.strip()).hexdigest()


def _show_of(line: bytes) -> tuple[str | None, int | None]:
    try:
        body = json.loads(line)
        show = body["show"] if body["event_type"] == "show_catalog_entry" else {}
        version = show.get("version")
        return show.get("id"), version if isinstance(version, int) else None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None, None


def _enter(event: SentEvent, rows: list[Found], failed: _Failed, line: Line, book: Account) -> None:
    name = event.event_id or f"sequence number {event.sequence_number}"
    if not rows:
        why = failed.claim(event, name)
        if why:
            line.given_up[why] += 1
        else:
            line.missing.append(f"{event.type} {name}")
        return
    told = next((row for row in rows if row.reason is not None), rows[0])
    if told.reason is None:
        line.landed += 1
    else:
        line.quarantined[told.reason] += 1
    if event.expected and event.expected != told.outcome:
        book.unexpected.append(f"{event.type} {name} was promised to be {event.expected} and is {told.outcome}")


def _settle_messages(
    messages: Sequence[SentMessage],
    rows: _Rows,
    failed: _Failed,
    dead_letters: Sequence[DeadLetter],
    lines: dict[str, Line],
    book: Account,
) -> None:
    if not messages:
        return
    line = lines.setdefault(TOPIC, Line(type=TOPIC))
    letters = {letter.message_id: letter.reason for letter in dead_letters}
    for message in messages:
        line.sent += 1
        if message.message_id in letters:
            reason = letters[message.message_id]
            line.dead_lettered[reason] += 1
            outcome = f"dead-lettered:{reason}"
        elif message.show_id is not None and rows.holds_show(message.show_id, message.version):
            line.landed += 1
            outcome = "landed"
        elif message.show_id is not None and (why := failed.claim_show(message.show_id, message.version)):
            line.given_up[why] += 1
            continue
        else:
            line.missing.append(f"show change {message.message_id} (show {message.show_id})")
            continue
        if message.expected and message.expected != outcome:
            book.unexpected.append(
                f"show change {message.message_id} was promised to be {message.expected} and is {outcome}"
            )
    line.deliveries = line.landed + rows.repeated_entries()
    unknown = set(letters) - {message.message_id for message in messages}
    book.unexpected += [f"a dead letter that nobody sent: {name} ({letters[name]})" for name in sorted(unknown)]
