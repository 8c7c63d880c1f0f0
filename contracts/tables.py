"""Tables of the platform's own that hold no one event type; declares no event."""

from __future__ import annotations

from contracts.envelope import LANDING
from contracts.model import Column, Table

_ARRIVAL = tuple(column for column in LANDING if column.name != "extra")
_EVENT_ID = Column(
    path="event_id",
    type="string",
    description="The event's id, or one derived from its place on the stream.",
)

UNKNOWN = Table(
    name="unknown",
    version=1,
    owner="data platform",
    description="Events whose type no contract declares, kept whole until one does.",
    grain="one row for each delivery of an event",
    columns=(
        _EVENT_ID,
        Column(path="event_type", type="string", description="The type that the event named, if it named one."),
        Column(
            path="body",
            type="string",
            description="The event exactly as it was sent, as JSON; it may hold anything, so it counts as personal.",
            personal=True,
        ),
        *_ARRIVAL,
    ),
)
"""Where events of undeclared types land; the partition is `type=unknown`."""

QUARANTINE = Table(
    name="quarantine",
    version=1,
    owner="data platform",
    description="Records that broke their contract or could not be read, with the reason and the original bytes.",
    grain="one row for each delivery of a record that was refused",
    columns=(
        Column(
            path="reason_code",
            type="string",
            description="Why it was refused, as a code to group by; contracts/reasons.py lists the codes.",
        ),
        Column(path="reason", type="string", description="Why it was refused, as a sentence; it quotes no value."),
        Column(path="column", type="string", description="The column or path at fault, where there is one."),
        Column(
            path="event_type",
            type="string",
            description="The type that the record named, if it could be read.",
        ),
        Column(
            path="contract_version",
            type="int",
            description="Version of the contract that refused it, where a contract did.",
        ),
        _EVENT_ID,
        Column(
            path="original",
            type="string",
            description="The record's bytes: as text when they are UTF-8, else as base64.",
            personal=True,
        ),
        Column(path="original_encoding", type="string", description="How the bytes are written: utf-8 or base64."),
        *_ARRIVAL,
    ),
)
"""Where refused records land; partitioned by the type they named (`unknown` when unreadable) and arrival hour."""
