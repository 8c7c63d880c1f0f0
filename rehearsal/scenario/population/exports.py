"""What other teams export as files: shows, the editors' catalogue, creators, profiles; writes no file."""

from __future__ import annotations

from datetime import date
from typing import Any

from rehearsal.scenario.population.people import Creator, Listener
from rehearsal.scenario.population.randomness import generator
from rehearsal.scenario.population.settings import PopulationSettings, moment_of
from rehearsal.scenario.population.words import TOPICS

Row = dict[str, Any]


def show_rows(shows: list[dict[str, Any]]) -> list[Row]:
    """One row for each show as the catalog answers it."""
    return [
        {
            "show_id": show["id"],
            "title": show["title"],
            "status": show["status"],
            "language": show.get("language"),
            "topics": show.get("topics", []),
            "creator_id": show["creator"]["id"],
            "creator_name": show["creator"]["name"],
            "version": show["version"],
        }
        for show in shows
    ]


def catalog_rows(settings: PopulationSettings, shows: list[dict[str, Any]]) -> list[Row]:
    """One row for each show that the editors know; their notes hold what people write: quotes, commas, line ends."""
    chance = generator(settings.seed, "editors")
    rows = []
    for place, show in enumerate(shows):
        said = (
            f'"{show["title"]}", they said.\nHeard it twice.' if place % 7 == 0 else f"{show['title']}, worth a listen"
        )
        rows.append(
            {
                "show_id": show["id"],
                "category": TOPICS[int(chance.random() * len(TOPICS))],
                "featured": chance.random() < 0.1,
                "editorial_note": said if place % 3 else None,
            }
        )
    return rows


def creator_rows(settings: PopulationSettings, creators: list[Creator]) -> list[Row]:
    """One row for each creator."""
    chance = generator(settings.seed, "creator export")
    start = moment_of(settings.live_start_ms).date().toordinal()
    return [
        {
            "creator_id": creator.id,
            "name": creator.name,
            "country": creator.region.country,
            "joined_on": date.fromordinal(start - 1 - int(chance.random() * 700)),
            "verified": chance.random() < 0.4,
        }
        for creator in creators
    ]


def booking_rows(settings: PopulationSettings, creators: list[Creator]) -> list[Row]:
    """Bookings of studios: what somebody uploads without asking anybody."""
    chance = generator(settings.seed, "bookings")
    return [
        {"booking": place, "studio": f"studio {1 + place % 4}", "hours": round(chance.random() * 4, 2), "by": one.name}
        for place, one in enumerate(creators)
    ]


def profile_rows(settings: PopulationSettings, listeners: list[Listener]) -> list[Row]:
    """One row for each listener; nearly all of it is personal."""
    chance = generator(settings.seed, "profiles")
    return [
        {
            "user_id": str(listener.sender.user_id),
            "email": f"listener.{place}@mail.example",
            "display_name": f"Ωlistener {place}" if place % 11 == 0 else f"listener {place}",
            "birth_year": 1950 + int(chance.random() * 58),
            "country": listener.region.country,
            "plan": ("free", "free", "plus", "family")[int(chance.random() * 4)],
        }
        for place, listener in enumerate(listeners)
    ]
