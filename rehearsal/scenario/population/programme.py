"""What is on air when: broadcasts of a window and who would listen to them; sends nothing."""

from __future__ import annotations

import random
from dataclasses import dataclass

from rehearsal.scenario.population.effects import Surge
from rehearsal.scenario.population.randomness import Weighted
from rehearsal.scenario.population.settings import DAY_MS, MINUTE_MS
from rehearsal.scenario.population.shows import SURGE, Show, weekday

_SLOT_MS = 10 * MINUTE_MS
_REPLAY_WEIGHT = 0.03
"""How much less a recording draws than a show on air."""
_CANDIDATES = 4
"""Shows of which a listener takes the one nearest to their taste."""


@dataclass(frozen=True, kw_only=True)
class Broadcast:
    """A show on air. Times in epoch milliseconds."""

    show: Show
    start_ms: int
    end_ms: int


class Programme:
    """The broadcasts that touch a window, and which shows can be heard in each ten minutes of it."""

    def __init__(self, shows: list[Show], surge: Surge, *, start_ms: int, end_ms: int) -> None:
        """Lay out the window; the surge's show is on air throughout its surge."""
        self._shows = shows
        self.broadcasts = _broadcasts(shows, surge, start_ms, end_ms)
        self._on_air: dict[int, dict[int, int]] = {}
        for broadcast in self.broadcasts:
            for slot in range(broadcast.start_ms // _SLOT_MS, -(-broadcast.end_ms // _SLOT_MS)):
                self._on_air.setdefault(slot, {})[broadcast.show.index] = broadcast.start_ms
        self._choice: dict[int, Weighted[Show]] = {}

    def choose(self, at_ms: int, topics: tuple[str, ...], chance: random.Random) -> Show:
        """A show that somebody with a taste would play at a moment: by popularity, then by taste."""
        slot = at_ms // _SLOT_MS
        choice = self._choice.get(slot)
        if choice is None:
            choice = self._choice[slot] = self._weigh(slot)
        best, best_score = choice.draw(chance), -1.0
        for place in range(_CANDIDATES):
            show = choice.draw(chance) if place else best
            score = chance.random() + sum(topic in topics for topic in show.topics)
            if score > best_score:
                best, best_score = show, score
        return best

    def on_air_since(self, show: Show, at_ms: int) -> int | None:
        """When the broadcast began that the show is in at a moment; None when it is not on air."""
        return self._on_air.get(at_ms // _SLOT_MS, {}).get(show.index)

    def _weigh(self, slot: int) -> Weighted[Show]:
        on_air = self._on_air.get(slot, {})
        at_ms = slot * _SLOT_MS
        offered = [show for show in self._shows if show.popularity > 0 and show.is_offered(at_ms)]
        return Weighted(
            offered,
            [show.popularity * (1 if show.index in on_air else _REPLAY_WEIGHT) for show in offered],
        )


def _broadcasts(shows: list[Show], surge: Surge, start_ms: int, end_ms: int) -> list[Broadcast]:
    found = []
    for day in range(start_ms // DAY_MS - 1, end_ms // DAY_MS + 1):
        for show in shows:
            begins_ms = day * DAY_MS + show.start_minute * MINUTE_MS
            ends_ms = begins_ms + show.duration_minutes * MINUTE_MS
            touches = begins_ms < end_ms and ends_ms > start_ms
            if touches and weekday(day) in show.weekdays and show.is_offered(begins_ms):
                found.append(Broadcast(show=show, start_ms=begins_ms, end_ms=ends_ms))
    if surge.start_ms < end_ms and surge.end_ms > start_ms:
        special = [item for item in found if item.show.index != SURGE]
        found = [Broadcast(show=shows[SURGE], start_ms=surge.start_ms, end_ms=surge.end_ms), *special]
    return found
