"""The population itself: catalog, live events, history and the truth about them, from one seed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rehearsal.scenario.population import exports, people, shows
from rehearsal.scenario.population.effects import EXPERIMENTS, Storm, Surge, promotions
from rehearsal.scenario.population.producer import time_text
from rehearsal.scenario.population.randomness import generator, uuid_text
from rehearsal.scenario.population.settings import DAY_MS, HOUR_MS, MINUTE_MS, PopulationSettings, moment_of
from rehearsal.scenario.population.shows import PROMOTED, STORM, SURGE, ShowChange
from rehearsal.scenario.population.traffic import Carried, Window, World, fill, history_windows, parts
from rehearsal.scenario.population.truth import Tally, Truth

_CATALOG_ENTRY = "show_catalog_entry"
_STORM_HOUR = 9
"""Hour of the UTC day in which fewest are awake: when the bots of history storm."""


class Population:
    """A seeded service: equal settings give byte-equal shows, changes and events.

    Events come as dictionaries that nothing else refers to. Each call of `live_events` or `history` begins anew and
    counts what it yields in `truth.live` or `truth.history`.

    Example:
        >>> from datetime import UTC, datetime
        >>> population = Population(PopulationSettings(now=datetime(2026, 11, 18, 20, tzinfo=UTC), live_events=300))
        >>> len(list(population.live_events())), population.truth.live.total
        (300, 300)
    """

    def __init__(self, settings: PopulationSettings) -> None:
        """Draw creators, shows, listeners and bots; events are drawn when they are asked for."""
        self.settings = settings
        hosts = people.creators(settings)
        self._creators = hosts
        self._shows = shows.shows(settings, hosts)
        listeners = people.listeners(settings)
        bots = people.bots(settings)
        bot_ids = tuple(str(bot.user_id) for bot in bots)
        self.truth = Truth(
            experiments=EXPERIMENTS,
            promotions=promotions((self._shows[PROMOTED].id, self._shows[PROMOTED + 1].id)),
            surge=_surge(settings, self._shows[SURGE].id),
            storms=_storms(settings, self._shows[STORM].id, bot_ids),
            bot_ids=bot_ids,
            clock_errors_ms={
                str(listener.sender.device["id"]): listener.sender.clock_error_ms
                for listener in listeners
                if listener.sender.clock_error_ms and listener.sender.device
            },
        )
        self._world = World(
            settings=settings,
            truth=self.truth,
            shows=self._shows,
            listeners=listeners,
            creators=[host.sender for host in hosts],
            bots=bots,
        )

    @property
    def shows(self) -> list[dict[str, object]]:
        """The shows as the catalog API answers them at `settings.now`; new objects at each call."""
        return self.shows_at(self.settings.live_end_ms)

    def shows_at(self, at_ms: int) -> list[dict[str, object]]:
        """The shows that exist at a moment (epoch milliseconds), as the catalog API answers them then."""
        return [show.at(at_ms) for show in self._shows if show.created_ms <= at_ms]

    def show_changes(self) -> list[ShowChange]:
        """What the catalog tells in the live window, in order of time.

        It announces every show once in the first fifth of the window; then come shows that are added, updated (some
        twice) and withdrawn.
        """
        start_ms, end_ms = self.settings.live_start_ms, self.settings.live_end_ms
        span_ms = int((end_ms - start_ms) * shows.ANNOUNCING_SHARE)
        found = shows.announcements(self._shows, start_ms=start_ms, span_ms=span_ms)
        found += shows.changes(self._shows, start_ms=start_ms, end_ms=end_ms)
        return sorted(found, key=lambda change: (change.changed_at_ms, change.show_id))

    def live_events(self) -> Iterator[dict[str, Any]]:
        """Exactly `live_events` app events of the live window, by when they really happened.

        `occurred_at` follows that order but for devices with a wrong clock (`truth.clock_errors_ms`). Catalog entries
        are not among them: the platform makes them of `show_changes`.
        """
        settings = self.settings
        window = Window(start_ms=settings.live_start_ms, end_ms=settings.live_end_ms, events=settings.live_events)
        tally = self.truth.live = Tally()
        for at_ms, event, realities in fill(self._world, window):
            tally.count(str(event["event_type"]), realities, _day(at_ms))
            yield event

    def exports(self) -> dict[str, list[exports.Row]]:
        """What other teams export at `settings.now`, by the dataset's name."""
        return {
            "shows": exports.show_rows(self.shows),
            "catalog": exports.catalog_rows(self.settings, self.shows),
            "creators": exports.creator_rows(self.settings, self._creators),
            "uploads": exports.booking_rows(self.settings, self._creators),
            "user_profiles": exports.profile_rows(self.settings, self._world.listeners),
        }

    def history_windows(self) -> list[Window]:
        """The days of history, oldest first, with their number of app events (catalog entries come on top)."""
        return history_windows(self.settings)

    def history(self) -> Iterator[dict[str, Any]]:
        """Events of the days before the live window, oldest first, catalog entries among them.

        A day is in memory at most, and of a large day a part.
        """
        tally = self.truth.history = Tally()
        chance = generator(self.settings.seed, "catalog entries")
        carried = Carried()
        for window in (part for day in self.history_windows() for part in parts(day)):
            changes = shows.changes(self._shows, start_ms=window.start_ms, end_ms=window.end_ms)
            if window.start_ms == self.settings.history_start_ms:
                changes += shows.announcements(self._shows, start_ms=window.start_ms, span_ms=HOUR_MS)
            entries = [(change.changed_at_ms, _catalog_entry(change, uuid_text(chance)), ()) for change in changes]
            events = fill(self._world, window, carried)
            for at_ms, event, realities in sorted([*events, *entries], key=lambda sent: sent[0]):
                tally.count(str(event["event_type"]), realities, _day(at_ms))
                yield event


def _catalog_entry(change: ShowChange, event_id: str) -> dict[str, object]:
    return {
        "event_id": event_id,
        "event_type": _CATALOG_ENTRY,
        "schema_version": 1,
        "occurred_at": time_text(moment_of(change.changed_at_ms)),
        "sent_at": change.changed_at_ms + 900,
        "show": change.show,
    }


def _day(at_ms: int) -> str:
    return moment_of(at_ms).date().isoformat()


def _surge(settings: PopulationSettings, show_id: str) -> Surge:
    span_ms = settings.live_end_ms - settings.live_start_ms
    start_ms = settings.live_end_ms - span_ms // 3
    return Surge(show_id=show_id, start_ms=start_ms, end_ms=settings.live_end_ms, listen_share=0.35)


def _storms(settings: PopulationSettings, show_id: str, bot_ids: tuple[str, ...]) -> tuple[Storm, ...]:
    if not bot_ids:
        return ()
    span_ms = settings.live_end_ms - settings.live_start_ms
    starts = [(settings.live_start_ms + span_ms * 2 // 5, span_ms // 10)]
    if settings.history_days >= 2:
        night_ms = settings.history_start_ms + settings.history_days // 2 * DAY_MS + _STORM_HOUR * HOUR_MS
        starts.insert(0, (night_ms, 20 * MINUTE_MS))
    return tuple(
        Storm(show_id=show_id, start_ms=start_ms, end_ms=start_ms + lasting_ms, bot_ids=bot_ids)
        for start_ms, lasting_ms in starts
    )
