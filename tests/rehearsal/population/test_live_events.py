"""Live events: their number, order, contracts and the ways in which real producers write them."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest

from contracts import events
from contracts.views import json_schema, rows
from rehearsal.scenario.population import Population, PopulationSettings, Reality

NOW = datetime(2026, 11, 18, 20, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
APP_EVENT_TYPES = {event.type for event in events.EVENTS} - {"show_catalog_entry"}

Json = dict[str, Any]


@cache
def default_population() -> tuple[Population, list[Json]]:
    population = Population(PopulationSettings(now=NOW))
    return population, list(population.live_events())


def small(**sizes: Any) -> Population:
    return Population(PopulationSettings(now=NOW, **{"live_events": 500, "listeners": 200, **sizes}))


def moment(event: Json) -> datetime:
    value = event["occurred_at"]
    if isinstance(value, int):
        return EPOCH + timedelta(milliseconds=value)
    return datetime.fromisoformat(value.replace("Z", "+00:00"))


def has_right_clock(population: Population, event: Json) -> bool:
    return event.get("device", {}).get("id") not in population.truth.clock_errors_ms


def test_the_default_size_has_every_app_event_type_and_exactly_the_events_asked_for() -> None:
    population, found = default_population()
    assert len(found) == population.settings.live_events
    assert {event["event_type"] for event in found} == APP_EVENT_TYPES


@pytest.mark.parametrize("seed", range(1, 6))
def test_every_app_event_type_occurs_whatever_the_seed(seed: int) -> None:
    population = Population(PopulationSettings(now=NOW, seed=seed))
    list(population.live_events())
    assert set(population.truth.live.types) == APP_EVENT_TYPES


@pytest.mark.parametrize("hour", [3, 9, 15])
def test_every_app_event_type_occurs_at_any_hour(hour: int) -> None:
    population = Population(PopulationSettings(now=NOW.replace(hour=hour)))
    list(population.live_events())
    assert set(population.truth.live.types) == APP_EVENT_TYPES


def test_every_event_follows_its_contract() -> None:
    for event in default_population()[1]:
        contract = events.by_type(event["event_type"])
        assert contract is not None
        rows.reader(contract).read(json.loads(json.dumps(event)))


def test_every_event_follows_the_schema_that_producers_are_given() -> None:
    jsonschema = pytest.importorskip("jsonschema", reason="schemas are checked with jsonschema")
    checker = jsonschema.FormatChecker()
    validators = {
        event.type: jsonschema.Draft202012Validator(json_schema.schema(event), format_checker=checker)
        for event in events.EVENTS
    }
    seen: Counter[str] = Counter()
    for event in default_population()[1]:
        seen[event["event_type"]] += 1
        # Validation is slow; two hundred of each type hold every form.
        if seen[event["event_type"]] <= 200:
            validators[event["event_type"]].validate(event)


def test_events_come_in_order_within_the_window_but_for_wrong_clocks() -> None:
    population, found = default_population()
    moments = [moment(event) for event in found if has_right_clock(population, event)]
    assert moments == sorted(moments)
    assert NOW - timedelta(minutes=60) <= moments[0] <= moments[-1] <= NOW
    assert len(moments) < len(found)


def test_a_wrong_clock_is_off_by_what_the_truth_says_in_both_of_its_times() -> None:
    population, found = default_population()
    truth = population.truth
    off = [event for event in found if not has_right_clock(population, event)]
    for event in off:
        error = timedelta(milliseconds=truth.clock_errors_ms[event["device"]["id"]])
        assert NOW - timedelta(minutes=60) <= moment(event) - error <= NOW
        if "sent_at" in event:
            sent = moment({"occurred_at": event["sent_at"]})
            assert timedelta(0) < sent - moment(event) < timedelta(seconds=2)
    years = truth.live.realities[Reality.CLOCK_YEARS_OFF]
    assert years > 0
    assert len(off) == years + truth.live.realities[Reality.CLOCK_HOURS_OFF]


def test_the_tally_counts_what_was_produced() -> None:
    population, found = default_population()
    tally = population.truth.live
    assert tally.types == Counter(event["event_type"] for event in found)
    assert tally.total == len(found)
    counted = {
        Reality.NO_EVENT_ID: sum("event_id" not in event for event in found),
        Reality.NO_SENT_AT: sum("sent_at" not in event for event in found),
        Reality.NUMERIC_ID: sum(isinstance(event.get("user", {}).get("id"), int) for event in found),
        Reality.TEXT_TIME: sum(isinstance(event["occurred_at"], str) for event in found),
        Reality.BIG_INTEGER: sum(event.get("playback", {}).get("bytes", 0) > 2**53 for event in found),
        Reality.TEXT_DECIMAL: sum(isinstance(event.get("promotion", {}).get("cost"), str) for event in found),
        Reality.EXPLICIT_NULL: sum(event.get("app", {}).get("version", "") is None for event in found),
    }
    assert {reality: tally.realities[reality] for reality in counted} == counted


@pytest.mark.parametrize("reality", list(Reality))
def test_every_reality_occurs_in_the_default_size(reality: Reality) -> None:
    assert default_population()[0].truth.live.realities[reality] > 0


def test_unknown_fields_are_counted_as_the_contract_would() -> None:
    population, found = default_population()
    unknown = 0
    for event in found:
        contract = events.by_type(event["event_type"])
        assert contract is not None
        unknown += bool(rows.reader(contract).read(event).unknown_fields)
    assert unknown == population.truth.live.realities[Reality.UNKNOWN_FIELD]


def test_event_ids_are_unique_and_everything_is_deterministic() -> None:
    found = default_population()[1]
    ids = [event["event_id"] for event in found if "event_id" in event]
    assert len(set(ids)) == len(ids)
    again = list(Population(PopulationSettings(now=NOW)).live_events())
    assert json.dumps(again) == json.dumps(found)


def test_a_second_iteration_gives_the_same_events_and_counts_anew() -> None:
    population = small()
    first = list(population.live_events())
    assert list(population.live_events()) == first
    assert population.truth.live.total == len(first)


def test_another_seed_gives_other_events() -> None:
    assert list(small(seed=1).live_events()) != list(small(seed=2).live_events())


def test_events_do_not_share_what_they_hold() -> None:
    found = list(small().live_events())
    parts = [id(value) for event in found for value in event.values() if isinstance(value, dict)]
    assert len(set(parts)) == len(parts)


@pytest.mark.parametrize("count", [0, 1, 17, 999, 3_000])
def test_any_number_of_events_is_met_exactly(count: int) -> None:
    assert len(list(small(live_events=count).live_events())) == count


@pytest.mark.parametrize("minutes", [1, 5, 600])
def test_any_length_of_window_is_kept(minutes: int) -> None:
    population = small(live_minutes=minutes)
    found = [event for event in population.live_events() if has_right_clock(population, event)]
    assert min(map(moment, found)) >= NOW - timedelta(minutes=minutes)
    assert max(map(moment, found)) <= NOW


def test_the_smallest_population_lives() -> None:
    population = Population(PopulationSettings(now=NOW, listeners=20, creators=1, shows=10, bots=0, live_events=800))
    assert len(list(population.live_events())) == 800
    assert population.truth.storms == ()


def test_sizes_and_times_that_make_no_population_are_refused_with_a_fix() -> None:
    with pytest.raises(ValueError, match="shows: given 3, allowed is 10 or more"):
        PopulationSettings(now=NOW, shows=3)
    with pytest.raises(ValueError, match="add tzinfo=UTC"):
        PopulationSettings(now=datetime(2026, 11, 18))  # noqa: DTZ001 - the naive time is the fault


def test_a_session_is_a_plausible_sequence() -> None:
    population = small(live_events=3_000, live_minutes=600, listeners=500)
    sessions: dict[str, list[Json]] = {}
    for event in population.live_events():
        if "session" in event and has_right_clock(population, event):
            sessions.setdefault(event["session"]["id"], []).append(event)
    whole = 0
    for parts in sessions.values():
        types = [event["event_type"] for event in parts]
        if types[-1] != "app_closed" or "app_opened" not in types:
            continue
        whole += 1
        assert types.index("app_opened") == ("notification_opened" in types)
        if "playback_metric" in types:
            assert types.index("click") < types.index("playback_metric")
        if "sign_up" in types:
            before = parts[: types.index("sign_up")]
            assert not any("user" in event for event in before)
        users = {event["user"]["id"] for event in parts if "user" in event}
        assert len(users) == 1
    assert whole > 100


def test_a_decision_answers_a_report_and_an_opened_notification_was_delivered() -> None:
    population = small(live_events=3_000, live_minutes=600, listeners=500)
    reports: set[str] = set()
    delivered: set[str] = set()
    answered = opened = 0
    for event in population.live_events():
        if not has_right_clock(population, event):
            continue
        if event["event_type"] == "content_report":
            reports.add(event["report"]["id"])
        elif event["event_type"] == "notification_delivered":
            delivered.add(event["notification"]["id"])
        elif event["event_type"] == "moderation_decision":
            answered += event["decision"]["report_id"] in reports
        elif event["event_type"] == "notification_opened":
            opened += event["notification"]["id"] in delivered
    assert answered > 0
    assert opened > 10
