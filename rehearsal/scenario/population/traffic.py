"""How much happens when: fills a window of time with exactly as many events as asked; chooses who comes and when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import fsum

from rehearsal.scenario.population.people import Listener, Sender
from rehearsal.scenario.population.producer import Producer, Sent
from rehearsal.scenario.population.programme import Programme
from rehearsal.scenario.population.randomness import Weighted, generator
from rehearsal.scenario.population.sessions import SESSION_LIMIT_MS, Cast, Sessions
from rehearsal.scenario.population.settings import DAY_MS, HOUR_MS, MINUTE_MS, PopulationSettings
from rehearsal.scenario.population.shows import Show, weekday
from rehearsal.scenario.population.surroundings import hosting, ignored_notification, listener_counts, storm
from rehearsal.scenario.population.truth import Truth
from rehearsal.scenario.population.words import REGIONS, Region

# How active people are in each hour of their own day: quiet before dawn, most in the evening.
_HOURS = (8, 5, 3, 2, 2, 3, 8, 16, 22, 22, 20, 21, 24, 22, 20, 21, 25, 32, 42, 54, 60, 56, 40, 20)
_WEEKDAYS = (0.90, 0.90, 0.95, 1.00, 1.10, 1.15, 1.00)
STORM_SHARE = 0.03
HOSTING_SHARE = 0.04
COUNTING_SHARE = 0.05
IGNORED_NOTIFICATION_PROBABILITY = 0.5
_LEAD_MS = 20 * MINUTE_MS
_TRIES = 20
PART_EVENTS = 50_000
"""About how many events are held in memory at once while history is written."""


@dataclass(frozen=True, kw_only=True)
class Window:
    """A stretch of time (epoch milliseconds, the end not in it) and how many events happen in it."""

    start_ms: int
    end_ms: int
    events: int


@dataclass(frozen=True, kw_only=True)
class World:
    """All that exists, whatever the window."""

    settings: PopulationSettings
    truth: Truth
    shows: list[Show]
    listeners: list[Listener]
    creators: list[Sender]
    bots: list[Sender]


def history_windows(settings: PopulationSettings) -> list[Window]:
    """The days of history and their volumes: weekdays differ, a part of a day has the part of its hours' volume."""
    windows = []
    for start_ms in range(settings.history_start_ms, settings.live_start_ms, DAY_MS):
        end_ms = min(start_ms + DAY_MS, settings.live_start_ms)
        volume = settings.events_per_history_day * _WEEKDAYS[weekday(start_ms // DAY_MS)]
        windows.append(Window(start_ms=start_ms, end_ms=end_ms, events=round(volume * _share(start_ms, end_ms))))
    return windows


def parts(window: Window) -> list[Window]:
    """A window in equal parts of time, so many that none holds far more than `PART_EVENTS`; volumes add up."""
    count = max(1, round(window.events / PART_EVENTS))
    bounds = [window.start_ms + (window.end_ms - window.start_ms) * place // count for place in range(count + 1)]
    whole = _share(window.start_ms, window.end_ms)
    done, found = 0, []
    for start_ms, end_ms in pairwise(bounds):
        until = round(window.events * _share(window.start_ms, end_ms) / whole)
        found.append(Window(start_ms=start_ms, end_ms=end_ms, events=until - done))
        done = until
    return found


class Carried:
    """What a window leaves for the next one: events after its end, and when each listener last came."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.events: list[Sent] = []
        self.visits: dict[int, list[int]] = {}


def fill(world: World, window: Window, carried: Carried | None = None) -> list[Sent]:
    """The events of a window, in order of time, exactly as many as it asks for.

    Without `carried`, sessions that began up to 20 minutes before the window show their later parts in it. With it,
    those parts come from there, and what happens after this window's end is left there.
    """
    return _Filling(world, window, carried).fill()


class _Filling:
    def __init__(self, world: World, window: Window, carried: Carried | None) -> None:
        settings = world.settings
        self._world = world
        self._window = window
        self._carried = carried
        self._chance = generator(settings.seed, "window", window.start_ms, window.end_ms)
        self._producer = Producer(self._chance)
        lead_ms = min(_LEAD_MS, (window.end_ms - window.start_ms) // 2) if carried is None else 0
        self._first_ms = window.start_ms - lead_ms
        self._programme = Programme(
            world.shows, world.truth.surge, start_ms=self._first_ms, end_ms=window.end_ms + SESSION_LIMIT_MS
        )
        cast = Cast(
            shows=world.shows,
            programme=self._programme,
            promotions=world.truth.promotions,
            surge=world.truth.surge,
            earliest_ms=window.start_ms,
        )
        self._sessions = Sessions(cast, self._producer, self._chance)
        self._visits: dict[int, list[int]] = {} if carried is None else carried.visits
        self._inside: list[Sent] = []
        self._after: list[Sent] = []

    def fill(self) -> list[Sent]:
        window, world = self._window, self._world
        if self._carried is not None:
            self._take(self._carried.events)
        if window.events > len(self._inside):
            self._newcomers()
            self._storms()
            counting = int(window.events * COUNTING_SHARE)
            self._take(
                hosting(
                    [item for item in self._programme.broadcasts if item.end_ms > window.start_ms],
                    world.creators,
                    self._producer,
                    self._chance,
                    most=int(window.events * HOSTING_SHARE),
                )
            )
            crowd = self._crowd()
            self._visit(crowd, until=window.events - counting)
            self._take(
                listener_counts(
                    self._sessions.listening.spells,
                    world.shows,
                    self._producer,
                    start_ms=window.start_ms,
                    end_ms=window.end_ms - 1,
                    most=counting,
                )
            )
            self._visit(crowd, until=window.events)
        # Only the session written last loses its end.
        del self._inside[window.events :]
        if self._carried is not None:
            self._carried.events = self._after
            late_ms = window.end_ms - SESSION_LIMIT_MS
            self._carried.visits = {
                index: kept
                for index, starts in self._visits.items()
                if (kept := [start for start in starts if start > late_ms])
            }
        self._inside.sort(key=lambda sent: sent[0])
        return self._inside

    def _take(self, events: Sequence[Sent]) -> None:
        start_ms, end_ms = self._window.start_ms, self._window.end_ms
        for sent in events:
            if sent[0] >= end_ms:
                self._after.append(sent)
            elif sent[0] >= start_ms:
                self._inside.append(sent)

    def _newcomers(self) -> None:
        for index, listener in enumerate(self._world.listeners):
            if self._window.start_ms <= listener.signed_up_ms < self._window.end_ms:
                self._visits.setdefault(index, []).append(listener.signed_up_ms)
                self._take(self._sessions.write(listener, listener.signed_up_ms, newcomer=True))

    def _storms(self) -> None:
        for planted in self._world.truth.storms:
            if self._window.start_ms <= planted.start_ms < self._window.end_ms:
                count = int(self._window.events * STORM_SHARE)
                self._take(storm(planted, self._world.bots, self._producer, self._chance, count=count))

    def _crowd(self) -> Weighted[tuple[int, int, Weighted[int]]]:
        """Slices of time and region to draw from, each with the listeners who may come in it."""
        appetites: dict[str, tuple[list[int], list[float]]] = {zone.time_zone: ([], []) for zone in REGIONS}
        for index, listener in enumerate(self._world.listeners):
            appetite = listener.appetite(self._window.start_ms)
            if appetite > 0:
                indices, weights = appetites[listener.region.time_zone]
                indices.append(index)
                weights.append(appetite)
        people = {zone: Weighted(*found) for zone, found in appetites.items()}
        slices = []
        weights = []
        for begins_ms, ends_ms, weight, region in _cells(self._first_ms, self._window.end_ms):
            slices.append((begins_ms, ends_ms, people[region.time_zone]))
            weights.append(weight * people[region.time_zone].total)
        return Weighted(slices, weights)

    def _visit(self, crowd: Weighted[tuple[int, int, Weighted[int]]], *, until: int) -> None:
        """Write sessions until the window holds so many events."""
        chance, listeners = self._chance, self._world.listeners
        while len(self._inside) < until:
            index, start_ms = self._visitor(crowd)
            listener = listeners[index]
            self._take(self._sessions.write(listener, start_ms))
            if chance.random() < IGNORED_NOTIFICATION_PROBABILITY:
                other = listeners[self._visitor(crowd, remember=False)[0]]
                show = self._programme.choose(start_ms, other.topics, chance)
                self._take([ignored_notification(other, show, start_ms, self._producer, chance)])

    def _visitor(self, crowd: Weighted[tuple[int, int, Weighted[int]]], *, remember: bool = True) -> tuple[int, int]:
        """Who comes next, and when: nobody who is there already, unless there is hardly anybody else."""
        chance = self._chance
        for _ in range(_TRIES):
            begins_ms, ends_ms, people = crowd.draw(chance)
            index = people.draw(chance)
            start_ms = begins_ms + int(chance.random() * (ends_ms - begins_ms))
            starts = self._visits.get(index)
            if not remember or starts is None:
                break
            if all(abs(start_ms - start) > SESSION_LIMIT_MS for start in starts):
                break
        if remember:
            self._visits.setdefault(index, []).append(start_ms)
        return index, start_ms


def _share(start_ms: int, end_ms: int) -> float:
    """Part of a day's volume that a stretch of a day has, all regions together."""
    # fsum, because sum() of floats differs between Python versions and volumes must not.
    return fsum(weight * region.share for _, _, weight, region in _cells(start_ms, end_ms)) / sum(_HOURS)


def _cells(start_ms: int, end_ms: int) -> list[tuple[int, int, float, Region]]:
    """Start, end and weight of each hour (or part of one) of a window, in each region by its own hours.

    A region's weights of a whole day add up to the sum of `_HOURS`.
    """
    found = []
    for hour in range(start_ms // HOUR_MS, -(-end_ms // HOUR_MS)):
        begins_ms, ends_ms = max(start_ms, hour * HOUR_MS), min(end_ms, (hour + 1) * HOUR_MS)
        for region in REGIONS:
            local = (hour + round(region.offset_minutes / 60)) % 24
            found.append((begins_ms, ends_ms, _HOURS[local] * (ends_ms - begins_ms) / HOUR_MS, region))
    return found
