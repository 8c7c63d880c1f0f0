"""What every contender makes of an event type, read from the contracts; says nothing of how."""

from __future__ import annotations

from dataclasses import dataclass

from contracts.events import by_type
from contracts.lake_tables.events import EVENT_DETAILS, EVENT_TABLES
from contracts.model import Column

ACTOR = ("user_id", "device_id")
DETAIL_COLUMNS = tuple(column.name for column in EVENT_DETAILS.columns)
MAX_DAYS_LATE, MAX_DAYS_EARLY = 7, 1


@dataclass(frozen=True, kw_only=True)
class Output:
    """The tables of one type: `raw` are the columns of the files, `shared` those of the shared table, in order.

    `keys` gives the raw column of each person's key; `things` are columns that hold a value where a thing is named
    and none where a person is; `details` go into the map of personal.event_details. `kind` of a column that may name
    a thing is the column that tells, and the values that mean a thing.
    """

    type: str
    raw: tuple[Column, ...]
    shared: tuple[str, ...]
    keys: dict[str, Column]
    things: dict[str, Column]
    details: tuple[Column, ...]


def output(event_type: str) -> Output:
    """The output of a type."""
    event = by_type(event_type)
    assert event is not None  # noqa: S101 - the bench generates declared types
    columns = event.table.columns
    return Output(
        type=event_type,
        raw=columns,
        shared=tuple(column.name for column in EVENT_TABLES[event_type].columns),
        keys={column.key_name: column for column in columns if column.person_id},
        things={column.name: column for column in columns if column.thing_when},
        details=tuple(column for column in columns if column.personal and column.name not in ACTOR),
    )
