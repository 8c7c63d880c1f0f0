"""The tables that raw events become: one shared table a type, and one for what is personal in all of them."""

from __future__ import annotations

from contracts.event import Event
from contracts.events import EVENTS
from contracts.lake import LakeTable, Zone
from contracts.model import Column

RETENTION_DAYS = 1_095
"""Three years: two full years can be compared."""


def shared_columns(event: Event) -> tuple[Column, ...]:
    """The event's columns without what is personal; each person's id is there as the person's key.

    A `person_id` that may name a thing keeps its own column for things; it is null where a person is meant.
    """
    columns: list[Column] = []
    for column in event.table.columns:
        if not column.personal:
            columns.append(Column(path=column.name, type=column.type, description=column.description))
            continue
        if column.thing_when:
            kind, things = column.thing_when
            columns.append(
                Column(
                    path=column.name,
                    type="string",
                    description=f"Set where `{kind}` is {' or '.join(things)}; a person is in `{column.key_name}`.",
                )
            )
        if column.person_id:
            columns.append(
                Column(path=column.key_name, type="string", description=f"Key of a person: {column.description}")
            )
    return tuple(columns)


def events_table(event: Event) -> LakeTable:
    """The shared table of one event type."""
    return LakeTable(
        name=event.type,
        version=event.version,
        owner=event.owner,
        description=event.description,
        grain="one row for each event, however often it was delivered",
        columns=shared_columns(event),
        key=("event_id",),
        # What may be of any age is spread over years, a few rows a day: it stays together, and stays.
        partition=() if event.any_age else ("days(occurred_at)",),
        freshness_hours=2,
        retention_days=None if event.any_age else RETENTION_DAYS,
    )


EVENT_TABLES: dict[str, LakeTable] = {event.type: events_table(event) for event in EVENTS}
"""The shared table of each event type, by type."""

EVENT_DETAILS = LakeTable(
    name="event_details",
    version=1,
    owner="data platform",
    description="What is personal in the events of all types; erasing a person begins here.",
    grain="one row for each event that holds a personal value",
    zone=Zone.PERSONAL,
    columns=(
        Column(path="event_id", type="string", description="The event; joins the shared table of its type."),
        Column(path="event_type", type="string", description="Name of the shared table."),
        Column(path="occurred_at", type="timestamp", description="When it happened, as in the shared table."),
        Column(path="user_key", type="string", description="Key of the person who acted."),
        Column(path="user_id", type="string", description="The listener or creator who acted.", personal=True),
        Column(path="device_key", type="string", description="Key of the device."),
        Column(path="device_id", type="string", description="The installation of the app.", personal=True),
        Column(
            path="details",
            type="map<string,string>",
            description="Every other personal column of the event by name: text as it is, the rest as JSON.",
            personal=True,
        ),
    ),
    key=("event_type", "event_id"),
    partition=("event_type", "months(occurred_at)"),
    freshness_hours=2,
    retention_days=RETENTION_DAYS,
)
