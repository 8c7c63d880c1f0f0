"""Shows, their schedules and their versions over time; broadcasts and sends nothing."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from rehearsal.scenario.population.people import YEAR_MS, Creator
from rehearsal.scenario.population.producer import time_text
from rehearsal.scenario.population.randomness import Weighted, generator
from rehearsal.scenario.population.settings import DAY_MS, MINUTE_MS, PopulationSettings, moment_of
from rehearsal.scenario.population.words import DESCRIPTIONS, TITLES, TOPICS

SURGE, STORM, PROMOTED = 0, 1, 2
"""Indices of the shows with a planted part: the surge's, the storm's, and the first of the two promoted ones."""
_PLANTED = 4
EDITS_PER_SHOW_AND_DAY = 0.03
LIVE_EDIT_SHARE = 0.08
LIVE_ADDED_SHARE = 0.02
LIVE_WITHDRAWN_SHARE = 0.01
HISTORY_ADDED_SHARE = 0.10
ANNOUNCING_SHARE = 0.2
"""Part of the live window, from its start, in which the catalog announces every show that it has."""
MISSING_PART_RATE = 0.06
UNKNOWN_PART_RATE = 0.10
_BYDAY = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


@dataclass(frozen=True, kw_only=True)
class ShowChange:
    """What the catalog tells: a show was `announced`, `added`, `updated` or `withdrawn`.

    `show` is the catalog object at that version: what the catalog API answers from `changed_at_ms` (epoch
    milliseconds) on, until the next change.
    """

    show_id: str
    version: int
    changed_at_ms: int
    change: str
    show: dict[str, object]


@dataclass(slots=True, kw_only=True)
class Edit:
    """One change of a show: the catalog fields that it sets."""

    at_ms: int
    change: str
    fields: dict[str, object]


@dataclass(slots=True, kw_only=True)
class Show:
    """A show of a creator. `popularity` is relative; its schedule is weekly, in UTC.

    `base` is the catalog object of its first known version; `edits` follow in order.
    """

    index: int
    id: str
    creator: Creator
    topics: tuple[str, ...]
    popularity: float
    weekdays: tuple[int, ...]
    start_minute: int
    duration_minutes: int
    created_ms: int
    base: dict[str, object]
    first_version: int
    edits: list[Edit] = field(default_factory=list)

    @property
    def language(self) -> str:
        """BCP 47 tag of what is spoken."""
        return self.creator.region.language

    def is_offered(self, at_ms: int) -> bool:
        """True from its creation until it is withdrawn."""
        return at_ms >= self.created_ms and not any(
            edit.change == "withdrawn" and edit.at_ms <= at_ms for edit in self.edits
        )

    def version_at(self, at_ms: int) -> int:
        """The version that the catalog answers at a moment."""
        return self.first_version + sum(edit.at_ms <= at_ms for edit in self.edits)

    def at(self, at_ms: int) -> dict[str, object]:
        """The object that the catalog answers at a moment; a new one at each call."""
        body = {key: _copy(value) for key, value in self.base.items()}
        body["version"] = self.version_at(at_ms)
        for edit in self.edits:
            if edit.at_ms <= at_ms:
                body.update({key: _copy(value) for key, value in edit.fields.items()})
                body["updated_at"] = time_text(moment_of(edit.at_ms))
                if isinstance(schedule := body.get("schedule"), dict):
                    schedule["starts_at"] = time_text(moment_of(self.next_start_ms(edit.at_ms)))
        return body

    def next_start_ms(self, after_ms: int) -> int:
        """When the first broadcast at or after a moment starts."""
        day = after_ms // DAY_MS
        while True:
            start_ms = day * DAY_MS + self.start_minute * MINUTE_MS
            if weekday(day) in self.weekdays and start_ms >= after_ms:
                return start_ms
            day += 1


def weekday(day: int) -> int:
    """Weekday of a day counted from 1970 (a Thursday); Monday is 0."""
    return (day + 3) % 7


def shows(settings: PopulationSettings, creators: list[Creator]) -> list[Show]:
    """All shows; those that are added in the live window last, those added in history before them."""
    chance = generator(settings.seed, "shows")
    hosts = Weighted(creators, [creator.reach for creator in creators])
    live_added = max(1, round(settings.shows * LIVE_ADDED_SHARE))
    history_added = round(settings.shows * HISTORY_ADDED_SHARE) if settings.history_days else 0
    found = []
    for index in range(settings.shows):
        if index >= settings.shows - live_added:
            start, end = settings.live_start_ms, settings.live_end_ms
        elif index >= settings.shows - live_added - history_added:
            start, end = settings.history_start_ms, settings.live_start_ms
        else:
            start, end = settings.history_start_ms - 2 * YEAR_MS, settings.history_start_ms - DAY_MS
        created_ms = start + int(chance.random() * (end - start))
        # Every creator hosts something as long as there are shows for all.
        host = creators[index] if index < len(creators) else hosts.draw(chance)
        found.append(_show(settings, chance, index, host, created_ms))
    _edit(settings, chance, found, live_added)
    return found


def changes(shows: list[Show], *, start_ms: int, end_ms: int) -> list[ShowChange]:
    """What was added and edited in a window (start included, end not), in order of time."""
    found = []
    for show in shows:
        moments = [(edit.at_ms, edit.change) for edit in show.edits]
        for at_ms, change in [(show.created_ms, "added"), *moments]:
            if start_ms <= at_ms < end_ms:
                found.append(_change(show, at_ms, change))
    return sorted(found, key=lambda change: (change.changed_at_ms, change.show_id))


def announcements(shows: list[Show], *, start_ms: int, span_ms: int) -> list[ShowChange]:
    """Every show that is there at the start, announced once, evenly over the span."""
    there = [show for show in shows if show.created_ms < start_ms]
    return [
        _change(show, start_ms + place * span_ms // max(1, len(there)), "announced") for place, show in enumerate(there)
    ]


def _change(show: Show, at_ms: int, change: str) -> ShowChange:
    return ShowChange(
        show_id=show.id,
        version=show.version_at(at_ms),
        changed_at_ms=at_ms,
        change=change,
        show=show.at(at_ms),
    )


def _show(settings: PopulationSettings, chance: random.Random, index: int, host: Creator, created_ms: int) -> Show:
    planted = index < _PLANTED
    language = host.region.language
    topics = host.topics if chance.random() < 0.7 else tuple(chance.sample(TOPICS, 2))
    days = tuple(sorted(chance.sample(range(7), 1 + int(chance.random() * 5))))
    show = Show(
        index=index,
        id=f"show-{1000 + index}",
        creator=host,
        topics=topics,
        # Planted shows are small, and nothing but a promotion leads to a promoted one.
        popularity=(0.0 if index >= PROMOTED else 0.01) if planted else host.reach * (0.3 + chance.random()),
        weekdays=days,
        # Hosts broadcast between six in the evening and eleven at night of their own time zone.
        start_minute=(18 * 60 + 15 * int(chance.random() * 21) - host.region.offset_minutes) % 1440,
        duration_minutes=(30, 45, 60, 60, 90, 120)[int(chance.random() * 6)],
        created_ms=created_ms,
        base={},
        first_version=1 if created_ms >= settings.history_start_ms else 1 + int(chance.random() * 9),
    )
    titles, descriptions = TITLES[language], DESCRIPTIONS[language]
    title = titles[int(chance.random() * len(titles))]
    updated_ms = created_ms
    if show.first_version > 1:
        updated_ms += int(chance.random() * (settings.history_start_ms - DAY_MS - created_ms))
    show.base = {
        "id": show.id,
        "version": show.first_version,
        "title": f"{title} #{index}" if index % 3 else title,
        "description": descriptions[int(chance.random() * len(descriptions))],
        "status": "scheduled",
        "language": language,
        "explicit": chance.random() < 0.15,
        "topics": list(topics),
        "created_at": time_text(moment_of(created_ms)),
        "updated_at": time_text(moment_of(updated_ms)),
        "creator": {"id": host.id, "name": host.name},
        "schedule": {
            "starts_at": time_text(moment_of(show.next_start_ms(settings.history_start_ms))),
            "duration_minutes": show.duration_minutes,
            "time_zone": host.region.time_zone,
            "recurrence": "FREQ=WEEKLY;BYDAY=" + ",".join(_BYDAY[day] for day in days),
        },
    }
    if not planted:
        _make_real(chance, show.base)
    return show


def _make_real(chance: random.Random, body: dict[str, object]) -> None:
    for part in ("description", "explicit", "topics", "schedule", "language"):
        if chance.random() < MISSING_PART_RATE:
            del body[part]
    if chance.random() < UNKNOWN_PART_RATE:
        body["artwork"] = {"url": "https://img.amp.example/cover.webp", "width": 640, "palette": ["#1b1b3a", "#ff3d7f"]}
    if chance.random() < UNKNOWN_PART_RATE:
        body["stats"] = {"lifetime_listeners": 2**53 + 1 + chance.getrandbits(20), "rating": 4.75}


def _edit(settings: PopulationSettings, chance: random.Random, shows: list[Show], live_added: int) -> None:
    history_ms = settings.live_start_ms - settings.history_start_ms
    live_ms = settings.live_end_ms - settings.live_start_ms
    for show in shows:
        days = history_ms / DAY_MS
        while days > 0 and chance.random() < EDITS_PER_SHOW_AND_DAY * days:
            days -= 1 / EDITS_PER_SHOW_AND_DAY
            at_ms = settings.history_start_ms + int(chance.random() * history_ms)
            if at_ms > show.created_ms:
                show.edits.append(_update(chance, show, at_ms))
    old = shows[_PLANTED : len(shows) - live_added]
    withdrawn = old[: max(1, round(len(shows) * LIVE_WITHDRAWN_SHARE))]
    updated = chance.sample(old[len(withdrawn) :], max(1, round(len(old) * LIVE_EDIT_SHARE)))
    for place, show in enumerate(updated):
        for _ in range(1 + (place % 4 == 0)):  # every fourth is edited twice
            at_ms = settings.live_start_ms + int((ANNOUNCING_SHARE + 0.7 * chance.random()) * live_ms)
            if at_ms > show.created_ms:
                show.edits.append(_update(chance, show, at_ms))
    for show in withdrawn:
        at_ms = settings.live_start_ms + int((0.5 + 0.4 * chance.random()) * live_ms)
        show.edits.append(Edit(at_ms=at_ms, change="withdrawn", fields={"status": "withdrawn"}))
    for show in shows:
        show.edits.sort(key=lambda edit: edit.at_ms)


def _update(chance: random.Random, show: Show, at_ms: int) -> Edit:
    texts = TITLES[show.language]
    kind = int(chance.random() * 4)
    fields: dict[str, object]
    if kind == 0:
        fields = {"title": f"{texts[int(chance.random() * len(texts))]} ✦ {1 + int(chance.random() * 99)}"}
    elif kind == 1:
        fields = {"topics": chance.sample(TOPICS, 2)}
    elif kind == 2:
        fields = {"status": ("live", "ended", "scheduled")[int(chance.random() * 3)]}
    else:
        texts = DESCRIPTIONS[show.language]
        fields = {"description": texts[int(chance.random() * len(texts))], "explicit": chance.random() < 0.3}
    return Edit(at_ms=at_ms, change="updated", fields=fields)


def _copy(value: object) -> object:
    if isinstance(value, dict):
        return {key: _copy(below) for key, below in value.items()}
    return [_copy(below) for below in value] if isinstance(value, list) else value
