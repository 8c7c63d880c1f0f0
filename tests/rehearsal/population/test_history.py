"""History: its days, their volumes, its order and the people who live through it."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import islice
from typing import Any

from contracts import events
from contracts.views import rows
from rehearsal.scenario.population import Population, PopulationSettings
from rehearsal.scenario.population.traffic import parts

NOW = datetime(2026, 11, 18, 20, tzinfo=UTC)
LIVE_START = NOW - timedelta(minutes=60)
Json = dict[str, Any]


def population(**sizes: Any) -> Population:
    defaults: Json = {"history_days": 14, "events_per_history_day": 2_000, "listeners": 800}
    return Population(PopulationSettings(now=NOW, **{**defaults, **sizes}))


@cache
def fortnight() -> tuple[Population, list[Json]]:
    found = population()
    return found, list(found.history())


def moments(found: Population, history: list[Json]) -> list[datetime]:
    return [
        datetime.fromtimestamp(event["occurred_at"] / 1000, tz=UTC)
        for event in history
        if isinstance(event["occurred_at"], int)
        and event.get("device", {}).get("id") not in found.truth.clock_errors_ms
    ]


def test_without_history_days_there_is_no_history() -> None:
    assert list(population(history_days=0).history()) == []


def test_history_lies_before_the_live_window_oldest_first() -> None:
    when = moments(*fortnight())
    assert when == sorted(when)
    assert when[0] >= datetime(2026, 11, 4, tzinfo=UTC)
    assert when[-1] < LIVE_START


def test_days_hold_the_events_that_their_windows_announce_and_add_up() -> None:
    found, history = fortnight()
    tally = found.truth.history
    windows = found.history_windows()
    entries = tally.types["show_catalog_entry"]
    assert entries > found.settings.shows * 0.8
    assert len(history) == tally.total == sum(window.events for window in windows) + entries
    assert len(windows) == 15
    assert len(tally.days) == 15
    # Two whole weeks have the mean volume; the last window is a part of a day.
    assert abs(sum(window.events for window in windows[:14]) - 14 * 2_000) <= 14


def test_weekdays_differ_and_nights_are_quiet() -> None:
    found, history = fortnight()
    volumes = {
        datetime.fromtimestamp(window.start_ms / 1000, tz=UTC).date(): window.events
        for window in found.history_windows()
    }
    saturday, monday = datetime(2026, 11, 14).date(), datetime(2026, 11, 16).date()  # noqa: DTZ001 - dates alone
    assert volumes[saturday] > 1.2 * volumes[monday]
    hours = Counter(when.hour for when in moments(found, history))
    assert min(hours.values()) * 3 < max(hours.values())


def test_every_event_type_occurs_and_follows_its_contract() -> None:
    _, history = fortnight()
    for event in history:
        contract = events.by_type(event["event_type"])
        assert contract is not None
        rows.reader(contract).read(event)
    assert {event["event_type"] for event in history} == {event.type for event in events.EVENTS}


def test_history_is_deterministic_and_its_event_ids_are_unique() -> None:
    _, history = fortnight()
    again = population().history()
    assert json.dumps(list(islice(again, 5_000))) == json.dumps(history[:5_000])
    ids = [event["event_id"] for event in history if "event_id" in event]
    assert len(set(ids)) == len(ids)


def test_live_events_are_not_those_of_history() -> None:
    found, history = fortnight()
    live = {event.get("event_id") for event in islice(found.live_events(), 2_000)}
    assert not (live - {None}) & {event.get("event_id") for event in history}


def test_sessions_over_midnight_are_whole() -> None:
    _, history = fortnight()
    opened = {event["session"]["id"] for event in history if event["event_type"] == "app_opened"}
    closed = {event["session"]["id"] for event in history if event["event_type"] == "app_closed"}
    assert len(opened - closed) < 0.03 * len(opened)
    assert len(closed - opened) < 0.03 * len(closed)


def test_listeners_sign_up_once_come_back_less_and_less_and_some_leave() -> None:
    found, history = fortnight()
    signed_up: dict[str, int] = {}
    active: dict[str, set[int]] = {}
    for event in history:
        device = event.get("device", {}).get("id")
        if not isinstance(event["occurred_at"], int) or device is None or device in found.truth.clock_errors_ms:
            continue
        day = event["occurred_at"] // 86_400_000
        if event["event_type"] == "sign_up":
            assert device not in signed_up
            signed_up[device] = day
        if event["event_type"] == "app_opened":
            active.setdefault(device, set()).add(day)
    assert len(signed_up) > 40
    early = [(day, active.get(device, set())) for device, day in signed_up.items() if day < max(signed_up.values()) - 6]
    first = sum(any(day + 1 <= other <= day + 3 for other in days) for day, days in early)
    later = sum(any(day + 4 <= other <= day + 6 for other in days) for day, days in early)
    assert first > later > 0


def test_history_grows_with_its_arguments_alone() -> None:
    tiny = population(history_days=2, events_per_history_day=100)
    assert len(list(tiny.history())) == tiny.truth.history.total
    assert sum(window.events for window in tiny.history_windows()) < 300


def test_a_large_day_is_written_in_parts_that_add_up() -> None:
    after_midnight = datetime(2026, 11, 18, 1, tzinfo=UTC)
    settings = PopulationSettings(now=after_midnight, history_days=1, events_per_history_day=100_000, listeners=3_000)
    found = Population(settings)
    [day] = found.history_windows()
    pieces = parts(day)
    assert len(pieces) == 2
    assert sum(piece.events for piece in pieces) == day.events
    assert (pieces[0].start_ms, pieces[0].end_ms) == (day.start_ms, pieces[1].start_ms)
    assert pieces[1].end_ms == day.end_ms == settings.live_start_ms
    history = list(found.history())
    assert len(history) == day.events + found.truth.history.types["show_catalog_entry"]
    when = moments(found, history)
    assert when == sorted(when)
