"""What the show catalog tells: event contracts; declares, and does nothing."""

from __future__ import annotations

from contracts.event import Event
from contracts.model import Column

SHOW_CATALOG_ENTRY = Event(
    type="show_catalog_entry",
    version=1,
    owner="show catalog team",
    description="A show as the catalog service describes it, published after each change of it.",
    any_age=True,
    columns=(
        Column(path="show.id", type="string", description="The show.", required=True, examples=("show-1041",)),
        Column(
            path="show.version",
            type="bigint",
            description="The catalog's version of the show, which grows with each change.",
            examples=(7,),
        ),
        Column(
            path="show.title",
            type="string",
            description="Title as listeners see it.",
            examples=("Nachtgespräche 夜話",),
        ),
        Column(
            path="show.description",
            type="string",
            description="What the show is about, in its creator's words.",
            examples=("Late calls from everywhere.",),
        ),
        Column(
            path="show.status",
            type="string",
            description="Where the show is in its life.",
            examples=("draft", "scheduled", "live", "ended", "withdrawn"),
        ),
        Column(
            path="show.language",
            type="string",
            description="Spoken language as a BCP 47 tag.",
            examples=("en", "de-AT", "pt-BR", "ja"),
        ),
        Column(
            path="show.explicit",
            type="boolean",
            description="True when the creator marked it as not for children.",
            examples=(False, True),
        ),
        Column(
            path="show.topics",
            type="array<string>",
            description="Topics, the main one first.",
            examples=(["music", "late night"],),
        ),
        Column(
            path="show.created_at",
            type="timestamp",
            description="When the show was created.",
            examples=("2026-03-01T12:00:00Z",),
        ),
        Column(
            path="show.updated_at",
            type="timestamp",
            description="When the show was last changed.",
            examples=("2026-11-18T07:59:58.500Z",),
        ),
        Column(
            path="show.creator.id",
            type="string",
            description="The creator who hosts it.",
            personal=True,
            person_id=True,
            examples=("u-c0ffee",),
        ),
        Column(
            path="show.creator.name",
            type="string",
            description="The creator's public name.",
            personal=True,
            examples=("DJ Żaneta",),
        ),
        Column(
            path="show.schedule.starts_at",
            type="timestamp",
            description="When the next broadcast starts.",
            examples=("2026-11-18T20:00:00Z",),
        ),
        Column(
            path="show.schedule.duration_minutes",
            type="int",
            description="Planned length of a broadcast, in minutes.",
            examples=(60, 90),
        ),
        Column(
            path="show.schedule.time_zone",
            type="string",
            description="Time zone of the schedule, as an IANA name.",
            examples=("Europe/Vienna",),
        ),
        Column(
            path="show.schedule.recurrence",
            type="string",
            description="How the broadcast repeats, as an iCalendar RRULE.",
            examples=("FREQ=WEEKLY;BYDAY=WE",),
        ),
    ),
)

EVENTS: tuple[Event, ...] = (SHOW_CATALOG_ENTRY,)
