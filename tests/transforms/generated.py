"""A few thousand events in which every edge of the definitions occurs by chance; the same for every seed."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any

Row = dict[str, Any]
START = datetime(2026, 11, 17, 20)  # noqa: DTZ001 - written as text in UTC
"""The events happen in the ten hours after this, over one midnight; on whole minutes often, so that moments meet."""


def events(*, seed: int, playbacks: int = 1_500) -> dict[str, list[Row]]:
    """Events of a few listeners and shows by type; some arrive late, some are of nobody."""
    chance = random.Random(seed)  # noqa: S311 - it makes test data
    return {
        "playback_metric": [_playback(chance, number) for number in range(playbacks)],
        "like": [
            _event(chance, f"l{n}", show=True) | {"like_count": chance.choice((None, 1, 3, 25, -1))} for n in range(400)
        ],
        "call_in": [
            _event(chance, f"k{n}", show=True)
            | {"call_id": f"c{chance.randrange(80)}", "call_state": chance.choice(("requested", "accepted", "ended"))}
            for n in range(200)
        ],
        "chat_message": [
            _event(chance, f"m{n}", show=True) | {"message_id": f"m{chance.randrange(500)}"} for n in range(600)
        ],
        "follow": [
            _event(chance, f"f{n}", show=False)
            | {
                "follow_target_kind": (kind := chance.choice(("show", "show", "creator"))),
                "follow_target_id": _show(chance) if kind == "show" else None,
                "follow_action": chance.choice(("follow", "unfollow")),
            }
            for n in range(200)
        ],
        "poll_vote": [_event(chance, f"v{n}", show=True) | {"poll_id": "q"} for n in range(200)],
        "show_catalog_entry": [_entry(chance, number) for number in range(300)],
    }


def _playback(chance: random.Random, number: int) -> Row:
    listened = chance.choice((0, -5, 1, 30_000, 60_000, 60_000, 600_000, 1_800_000, chance.randrange(90_000), 10**10))
    return _event(chance, f"p{number}", show=True) | {
        "playback_listened_ms": listened if listened < 10**9 or chance.random() < 0.02 else 45_000,
        "playback_id": f"pb{chance.randrange(200)}",
        "playback_stalls": chance.choice((None, 0, 1, 2)),
        "device_os": chance.choice((None, "ios", "android")),
        "app_version": chance.choice(("5.0", "5.1")),
    }


def _event(chance: random.Random, event_id: str, *, show: bool) -> Row:
    happened = START + timedelta(milliseconds=chance.randrange(36_000_000))
    if chance.random() < 0.6:
        happened = happened.replace(second=0, microsecond=0)
    if chance.random() < 0.02:
        happened = START.replace(hour=0) + timedelta(days=1)
    arrived = happened + timedelta(seconds=chance.choice((1, 2, 3_600, 20_000)))
    listener: Row = {"user_key": f"u{chance.randrange(12)}"} if chance.random() < 0.7 else {}
    if chance.random() < 0.9:
        listener["device_key"] = f"d{chance.randrange(6)}"
    return {
        "event_id": event_id,
        "occurred_at": _text(happened),
        "arrived_at": _text(arrived),
        **listener,
        **({"show_id": _show(chance)} if show else {}),
    }


def _entry(chance: random.Random, number: int) -> Row:
    entry = _event(chance, f"e{number}", show=True)
    return entry | {
        "show_version": chance.choice((None, number // 3)),
        "show_title": chance.choice(("A", "B", None)),
        "show_status": chance.choice(("live", "ended")),
        "show_topics": chance.choice((None, ["music"], ["music", "talk"])),
        "show_explicit": chance.choice((None, True)),
        "show_creator_key": f"creator-{chance.randrange(4)}",
        "show_updated_at": chance.choice((None, entry["occurred_at"], _text(START + timedelta(minutes=number // 2)))),
    }


def _show(chance: random.Random) -> str:
    return f"show-{chance.randrange(5)}"


def _text(moment: datetime) -> str:
    return moment.isoformat(sep=" ", timespec="milliseconds")
