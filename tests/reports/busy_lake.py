"""A lake in which a good deal happened by chance, the same for the same seed: for what must agree, not for answers."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from contracts.event import Event
from contracts.events import EVENTS
from contracts.lake_tables.events import EVENT_TABLES
from contracts.lake_tables.listening import TRENDING_SHOWS
from contracts.lake_tables.operations import JOB_RUNS, REJECTED_ROWS
from contracts.model import Column
from tests.reports.experiments.simulated import Arm, expose
from tests.reports.small_lake import SmallLake, at, days

SPAN = 40
"""Days before the day of a run over which things happened; a few happened after it."""
EACH = 120
"""Rows of each table of events."""
PEOPLE = [f"person-{number}" for number in range(12)]
SHOWS = [f"show-{number}" for number in range(5)]
TEXTS = ["one", "two", "three"]


def fill(lake: SmallLake, *, seed: int) -> None:
    """Fill every source that is of the shared or personal zone and that a model reads."""
    by_chance = random.Random(seed)  # noqa: S311 - no secret
    for event in EVENTS:
        _events(lake, event, by_chance)
    _shows(lake, by_chance)
    _listening(lake, by_chance)
    _growth(lake)
    for table in (JOB_RUNS, REJECTED_ROWS, TRENDING_SHOWS):
        rows = []
        for number in range(200):
            row = {column.name: _value(column, (), by_chance) for column in table.columns}
            row |= {name: f"{table.name}-{number}" for name in table.key if table.column[name].type == "string"}
            row |= {"as_of": _moment(by_chance) + timedelta(seconds=number)} if "as_of" in row else {}
            row |= {"source": by_chance.choice(list(EVENT_TABLES))} if "source" in row else {}
            rows.append(row)
        lake.fill(table.full_name, *rows)


def _events(lake: SmallLake, event: Event, by_chance: random.Random) -> None:
    examples = {column.name: column.examples for column in event.sent}
    rows = []
    for number in range(EACH):
        row = {
            column.name: _value(column, examples.get(column.name, ()), by_chance)
            for column in EVENT_TABLES[event.type].columns
        }
        arrived = row["occurred_at"] + timedelta(seconds=by_chance.choice([1, 60, 3600, 3601, 100_000]))
        rows.append(row | {"event_id": f"{event.type}-{number}", "arrived_at": arrived})
    lake.happened(event.type, *rows)


def _shows(lake: SmallLake, by_chance: random.Random) -> None:
    for show in SHOWS[:-1]:
        changes = sorted({at("09:00"), *(_moment(by_chance) for _ in range(6))})
        for valid_from, valid_to in zip(changes, [*changes[1:], None], strict=True):
            lake.show(
                show, valid_from, valid_to, show_creator_key=by_chance.choice([*PEOPLE[:3], PEOPLE[0], None]),
                show_language=by_chance.choice(["en", "de-AT", None]), show_title=by_chance.choice(TEXTS),
                show_topics=by_chance.choice([["music", "night"], ["talk"], [], None]),
                show_status=by_chance.choice(["live", "ended", "withdrawn"]),
                changed_columns=by_chance.choice([["show_title"], ["show_title", "show_status"], None]),
            )  # fmt: skip


def _listening(lake: SmallLake, by_chance: random.Random) -> None:
    for _ in range(200):
        start = _moment(by_chance)
        end = start + timedelta(milliseconds=by_chance.randrange(1, 5_000_000))
        person, show = by_chance.choice(PEOPLE), by_chance.choice(SHOWS)
        lake.heard(by_chance.choice([person, person, None]), show, start, end)
        lake.session(person, show, start, end)
    for back in range(-2, SPAN):
        for show in by_chance.sample(SHOWS, 3):
            minutes = Decimal(by_chance.randrange(0, 5_000_000)) / 1000
            counts = {
                name: by_chance.randrange(0, 50) for name in ("listeners", "sessions", "peak_concurrency", "likes")
            }
            lake.statistics(
                days(-back), show, minutes_listened=by_chance.choice([minutes, Decimal(0)]),
                follows_gained=by_chance.randrange(-3, 9), calls=by_chance.randrange(4), **counts,
            )  # fmt: skip


def _growth(lake: SmallLake) -> None:
    """What chance makes too little of: newcomers, notifications, and an experiment and a promotion of some size."""
    expose(
        lake,
        [
            Arm(experiment="exp", variant=variant, units=units, listened=listened, followed=followed)
            for variant, units, listened, followed in (("control", 160, 40, 20), ("b", 150, 60, 21), ("c", 140, 20, 0))
        ],
    )
    lake.connection.execute(
        """
        insert into transformed.app_opened by name
        select unit || days as event_id, unit as user_key, if(days = 0, unit, unit || days) as session_id,
            timestamp '2026-11-18 07:00:00' - to_days(days) as occurred_at
        from drawn cross join (values (0), (1), (8)) as visits (days)
        where days = 0 or length(unit) % (3 + days // 8) = 0
        """
    )
    lake.connection.execute(
        """
        insert into transformed.promotion_exposure by name
        select event_id, session_id, occurred_at, 'promo' as promotion_id, 'show-1' as show_id
        from transformed.app_opened where session_id like 'exp-c%' or session_id like 'exp-control-1%'
        """
    )
    lake.connection.execute(
        """
        insert into transformed.notification_delivered by name
        select 'n-' || unit as event_id, 'n-' || unit as notification_id, unit as user_key,
            'push' as notification_channel, timestamp '2026-11-18 07:30:00' as occurred_at
        from drawn where variant = 'b'
        """
    )
    lake.connection.execute(
        """
        insert into transformed.notification_opened by name
        select 'o-' || unit as event_id, 'n-' || unit as notification_id, unit as user_key,
            timestamp '2026-11-18 08:20:00' as occurred_at
        from drawn where variant = 'b' and (listens or follows)
        """
    )


def _moment(by_chance: random.Random) -> datetime:
    return at("00:00", day=days(-SPAN)) + timedelta(milliseconds=by_chance.randrange((SPAN + 2) * 86_400_000))


def _value(column: Column, examples: tuple[Any, ...], by_chance: random.Random) -> Any:
    """A value of the column's type, sometimes none; nested ones are left out."""
    if column.name == "occurred_at":
        return _moment(by_chance)
    if by_chance.random() < 0.15:
        return None
    if column.name.endswith("_key"):
        return by_chance.choice(PEOPLE)
    if column.name == "show_id":
        return by_chance.choice(SHOWS)
    if examples and column.type == "string":
        return by_chance.choice(examples)
    values: dict[str, Callable[[], Any]] = {
        "string": lambda: by_chance.choice(TEXTS),
        "int": lambda: by_chance.randrange(10),
        "bigint": lambda: by_chance.randrange(100_000),
        "double": lambda: by_chance.randrange(1000) / 8,
        "boolean": lambda: by_chance.random() < 0.5,
        "timestamp": lambda: _moment(by_chance),
        "date": lambda: _moment(by_chance).date(),
        "decimal(18,3)": lambda: Decimal(by_chance.randrange(100_000)) / 1000,
    }
    return values[column.type]() if column.type in values else None
