"""What is planted can be found in the events, and what is not planted cannot."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, datetime
from functools import cache
from math import sqrt
from typing import Any

import pytest

from rehearsal.scenario.population import Population, PopulationSettings

NOW = datetime(2026, 11, 18, 20, tzinfo=UTC)
Json = dict[str, Any]


class Session:
    """What a session met and did."""

    def __init__(self) -> None:
        self.whole = False
        self.variants: dict[str, str] = {}
        self.promotions: set[str] = set()
        self.played: set[str] = set()
        self.followed = False

    def did(self, outcome: str) -> bool:
        return bool(self.played) if outcome == "listen" else self.followed


@cache
def sample() -> tuple[Population, list[Session]]:
    population = Population(
        PopulationSettings(now=NOW, history_days=14, events_per_history_day=14_000, listeners=3_000)
    )
    sessions: dict[str, Session] = defaultdict(Session)
    for event in population.history():
        if "session" in event:
            note(sessions[event["session"]["id"]], event)
    return population, [session for session in sessions.values() if session.whole]


def note(session: Session, event: Json) -> None:
    kind = event["event_type"]
    if kind == "experiment_exposure":
        session.variants[event["experiment"]["id"]] = event["experiment"]["variant"]
    elif kind == "promotion_exposure":
        session.promotions.add(event["promotion"]["id"])
    elif kind == "playback_metric":
        session.played.add(event["show"]["id"])
    elif kind == "follow":
        session.followed |= event["follow"]["action"] == "follow"
    elif kind == "app_closed":
        session.whole = True


def difference(treated: list[bool], others: list[bool]) -> tuple[float, float]:
    """Difference of two shares and its standard error."""
    first, second = sum(treated) / len(treated), sum(others) / len(others)
    error = sqrt(first * (1 - first) / len(treated) + second * (1 - second) / len(others))
    return first - second, error


@pytest.mark.parametrize("place", [0, 1, 2])
def test_an_experiments_planted_lift_is_recovered(place: int) -> None:
    population, sessions = sample()
    experiment = population.truth.experiments[place]
    arms: dict[str, list[bool]] = {"treatment": [], "control": []}
    for session in sessions:
        if experiment.id in session.variants:
            arms[session.variants[experiment.id]].append(session.did(experiment.outcome))
    found, error = difference(arms["treatment"], arms["control"])
    assert abs(found - experiment.lift) < 4 * error
    assert error < 0.02
    if experiment.lift:
        assert found > 3 * error


def test_two_experiments_have_an_effect_and_one_has_none() -> None:
    lifts = [experiment.lift for experiment in sample()[0].truth.experiments]
    assert sum(lift > 0 for lift in lifts) == 2
    assert lifts.count(0.0) == 1


def test_variants_are_drawn_evenly_and_stay_with_the_listener() -> None:
    population, _ = sample()
    seen: dict[tuple[str, str], set[str]] = defaultdict(set)
    for event in population.live_events():
        if event["event_type"] == "experiment_exposure" and "user" in event:
            exposure: Any = event["experiment"]
            user: Any = event["user"]
            seen[str(user["id"]), exposure["id"]].add(exposure["variant"])
    assert all(len(variants) == 1 for variants in seen.values())
    drawn = Counter(variant for variants in seen.values() for variant in variants)
    assert abs(drawn["treatment"] - drawn["control"]) < 4 * sqrt(drawn.total())


@pytest.mark.parametrize("place", [0, 1])
def test_a_promotions_planted_lift_is_recovered(place: int) -> None:
    population, sessions = sample()
    promotion = population.truth.promotions[place]
    exposed = [promotion.show_id in item.played for item in sessions if promotion.id in item.promotions]
    others = [promotion.show_id in item.played for item in sessions if promotion.id not in item.promotions]
    found, error = difference(exposed, others)
    assert abs(found - promotion.lift) < 4 * error
    assert (found > 3 * error) == (promotion.lift > 0)


def test_the_surge_is_many_listeners_at_one_small_show_at_the_end_of_the_live_window() -> None:
    population, _ = sample()
    surge = population.truth.surge
    plays: dict[bool, Counter[str]] = {False: Counter(), True: Counter()}
    people: set[str] = set()
    for event in population.live_events():
        body: Any = event
        if event["event_type"] != "playback_metric" or not isinstance(event["occurred_at"], int):
            continue
        during = event["occurred_at"] >= surge.start_ms
        plays[during][body["show"]["id"]] += 1
        if during and body["show"]["id"] == surge.show_id and "user" in body:
            people.add(str(body["user"]["id"]))
    assert plays[True].most_common(1)[0][0] == surge.show_id
    assert plays[False][surge.show_id] < 0.03 * plays[False].total()
    assert len(people) > 30


def test_storms_are_few_bots_on_one_show_and_bots_do_nothing_else() -> None:
    population, _ = sample()
    truth = population.truth
    assert len(truth.storms) == 2
    live = list(population.live_events())
    by_bots: list[Json] = [event for event in live if user_of(event) in truth.bot_ids]
    storm = truth.storms[-1]
    assert {event["show"]["id"] for event in by_bots} == {storm.show_id}
    assert {user_of(event) for event in by_bots} == set(storm.bot_ids)
    assert all(storm.start_ms <= event["occurred_at"] < storm.end_ms for event in by_bots)
    taps = Counter[str]()
    for event in live:
        if event["event_type"] == "like":
            show: Any = event["show"]
            like: Any = event.get("like", {})
            taps[show["id"]] += like.get("count", 1)
    assert taps.most_common(1)[0][0] == storm.show_id


def user_of(event: Json) -> str:
    return str(event.get("user", {}).get("id"))
