"""Lay the input of a rehearsal out in time: generated history and live events, or a person's own; sends nothing."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rehearsal.scenario.inputs import json_bytes, read_events, read_shows, show_id_of
from rehearsal.scenario.population import Population, PopulationSettings
from rehearsal.scenario.traffic import Change, Event, event_of

HISTORY_PER_SECOND = 200
"""How fast history is sent through the stream, in events a second of the platform's time."""
EVENTS_PER_RECORD = 20
"""How many events some producers put into one record of the stream, a line each."""


@dataclass(frozen=True, kw_only=True)
class Timeline:
    """What is sent, and when: virtual seconds since the epoch. `begin_s` lies before the first of it."""

    begin_s: float
    changes: list[Change]
    events: list[Event]


def generated(settings: PopulationSettings) -> Timeline:
    """The population's: history first, as old events, then the live window."""
    population = Population(settings)
    live_s = settings.live_start_ms / 1000
    changes = [
        Change(
            at_s=change.changed_at_ms / 1000,
            body=json.dumps(
                {"show_id": change.show_id, "version": change.version, "change": change.change}, ensure_ascii=False
            ),
            show_id=change.show_id,
            version=change.version,
            show=change.show,
            expected="landed",
        )
        for change in population.show_changes()
    ]
    history = list(population.history()) if settings.history_days else []
    history_s = live_s - len(history) / HISTORY_PER_SECOND
    live = list(population.live_events())
    step_s = settings.live_minutes * 60 / max(1, len(live))
    events = [
        *_evenly("history", history, begin_s=history_s, step_s=1 / HISTORY_PER_SECOND),
        *_evenly("live", live, begin_s=live_s, step_s=step_s),
    ]
    return Timeline(begin_s=history_s, changes=changes, events=events)


def _evenly(name: str, bodies: Iterable[dict[str, Any]], *, begin_s: float, step_s: float) -> list[Event]:
    # In their order, evenly: occurred_at cannot be the time of sending, because some clocks are wrong. By turns as
    # many events in records of their own as in one record together: the platform promises to take both.
    return [
        replace(
            event_of(
                json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode(), at_s=begin_s + place * step_s
            ),
            expected="landed",
            record=f"{name} {place // EVENTS_PER_RECORD}" if place // EVENTS_PER_RECORD % 2 else "",
        )
        for place, body in enumerate(bodies)
    ]


def own(*, shows: Path | None, events: Path | None, begin_s: float, span_s: float) -> Timeline:
    """A person's own shows and events, spread evenly over `span_s`; whatever becomes of them is told, not promised.

    Raises:
        InputError: a file cannot be taken.
    """
    found = read_shows(shows) if shows else []
    lines = read_events(events) if events else []
    changes = [
        Change(
            at_s=begin_s + number * span_s / len(found),
            body=json_bytes({"show_id": show_id_of(show)}).decode(),
            show_id=show_id_of(show),
            show=show,
        )
        for number, show in enumerate(found)
    ]
    sent = [event_of(line, at_s=begin_s + number * span_s / len(lines)) for number, line in enumerate(lines)]
    return Timeline(begin_s=begin_s, changes=changes, events=sent)
