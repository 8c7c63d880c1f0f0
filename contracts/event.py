"""What an event is: its own columns between the envelope that all share and what the platform adds; declares none."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from contracts.envelope import ENVELOPE, LANDING
from contracts.model import Column, Table


@dataclass(frozen=True, kw_only=True, eq=False)
class Event:
    """A kind of event that the stream carries: what its producer sends, and the raw table it becomes.

    `columns` are the event's own; the envelope that all events share and the columns that the platform adds on
    arrival join them in `table`. `any_age` says that it tells how something has been, perhaps for years: then an event
    that says so is not one of a wrong clock.
    """

    type: str
    version: int
    owner: str
    description: str
    columns: tuple[Column, ...]
    any_age: bool = False

    @cached_property
    def sent(self) -> tuple[Column, ...]:
        """What a producer may send: the envelope and the event's own columns."""
        return ENVELOPE + self.columns

    @cached_property
    def table(self) -> Table:
        """The table of the raw zone that holds these events, one row for each delivery."""
        return Table(
            name=self.type,
            version=self.version,
            owner=self.owner,
            description=self.description,
            grain="one row for each delivery of an event; equal event_id means the same event",
            columns=self.sent + LANDING,
        )
