"""What the daily flash report is made of; computes nothing."""

from __future__ import annotations

from contracts.model import Column
from contracts.report import DAY, ReportTable

_OWNER = "data platform"

FLASH_EVENTS = ReportTable(
    name="flash_events",
    version=1,
    owner=_OWNER,
    description="How many events of each type happened on the day, as the lake holds them.",
    grain="one row for each event type, also one without an event on the day",
    columns=(
        DAY,
        Column(path="event_type", type="string", description="The event type; its table has this name."),
        Column(path="events", type="bigint", description="Events that occurred on the day, each counted once."),
        Column(
            path="events_late",
            type="bigint",
            description="Of these, events that arrived more than an hour after they occurred.",
        ),
    ),
    key=("day", "event_type"),
)

FLASH_TABLES = (FLASH_EVENTS,)
