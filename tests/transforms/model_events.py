"""Events from which rows of the data sets for models were worked out by hand, and ways to change their future."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

Row = dict[str, Any]
Events = dict[str, list[Row]]

_MINUTE_MS = 60_000


def _at(moment: str, arrived: str | None = None, **columns: Any) -> Row:
    """An event at `11-02 10:00` of 2026, arrived at once unless said otherwise."""
    row = {"occurred_at": f"2026-{moment}:00", "arrived_at": f"2026-{arrived or moment}:00", **columns}
    return {"event_id": "-".join(str(value) for value in row.values()), **row}


def _heard(moment: str, who: str | None, show: str, minutes: int, arrived: str | None = None) -> Row:
    return _at(moment, arrived, user_key=who, show_id=show, playback_listened_ms=minutes * _MINUTE_MS, playback_id="p")


def _entry(moment: str, show: str, creator: str, topic: str, status: str = "live") -> Row:
    return _at(
        moment,
        show_id=show,
        show_creator_key=creator,
        show_topics=[topic, "late night"],
        show_language="en",
        show_status=status,
        show_explicit=False,
        show_created_at="2026-10-01 00:00:00",
    )


def _follow(moment: str, who: str, kind: str, target: str, action: str = "follow") -> Row:
    named = {"follow_target_id" if kind == "show" else "follow_target_key": target}
    return _at(moment, user_key=who, follow_target_kind=kind, follow_action=action, **named)


def _report(id: str, moment: str, who: str, kind: str, target: str, arrived: str | None = None) -> Row:
    named = {"report_target_key" if kind == "user" else "report_target_id": target}
    return _at(moment, arrived, user_key=who, report_id=id, report_target_kind=kind, report_reason="spam", **named)


def _decision(id: str, moment: str, report: str | None, kind: str, target: str, action: str, by: str) -> Row:
    named = {"decision_target_key" if kind == "user" else "decision_target_id": target}
    return _at(
        moment,
        decision_id=id,
        decision_report_id=report,
        decision_target_kind=kind,
        decision_action=action,
        decision_decided_by=by,
        **named,
    )


LISTENING: Events = {
    "show_catalog_entry": [
        _entry("10-01 00:00", "show-a", "creator-1", "music"),
        _entry("10-01 00:00", "show-b", "creator-2", "talk"),
        _entry("10-01 00:00", "show-n", "creator-1", "news"),
        _entry("10-01 00:00", "show-w", "creator-1", "music", "withdrawn"),
        # Known an hour after the second moment.
        _entry("11-02 01:00", "show-b", "creator-1", "news"),
    ],
    "playback_metric": [
        _heard("10-04 23:59", "anna", "show-a", 10),  # of the first moment's 28 days, not of the second's
        _heard("10-20 10:00", "anna", "show-a", 10),
        _heard("10-20 10:20", "anna", "show-a", 10),  # 10 minutes later: the same session
        _heard("10-30 20:00", "anna", "show-a", 10),
        _heard("10-31 09:00", "anna", "show-b", 10),
        _heard(
            "11-01 23:00", "anna", "show-b", 5, arrived="11-02 00:30"
        ),  # too late for its features, too early to label
        _heard("10-10 12:00", "ben", "show-b", 20),
        _heard("10-11 12:00", "ben", "show-w", 1),
        _heard("10-25 12:00", None, "show-a", 1),
        _heard("11-02 00:05", "anna", "show-a", 10),  # 5 of the 10 minutes are after the moment
        _heard("11-08 12:00", "ben", "show-b", 4),
        _heard("11-08 23:00", "ben", "show-b", 10, arrived="11-10 00:00"),  # labels are settled at that instant
    ],
    "follow": [
        _follow("10-15 00:00", "anna", "creator", "creator-1"),
        _follow("10-16 00:00", "ben", "show", "show-a"),
        _follow("10-17 00:00", "ben", "show", "show-a", "unfollow"),
        _follow("11-03 00:00", "ben", "creator", "creator-2"),
    ],
    "like": [_at("10-30 20:00", user_key="anna", show_id="show-a", like_count=3)],
    "call_in": [
        _at("10-30 20:01", user_key="anna", show_id="show-a", call_id="c", call_state="requested"),
        _at("10-30 20:02", user_key="anna", show_id="show-a", call_id="c", call_state="ended"),
    ],
    "chat_message": [_at("10-10 12:00", user_key="ben", show_id="show-b", message_id="m-1")],
    "show_impression": [
        _at("10-31 08:00", user_key="ben", show_id="show-a", impression_rank=1),
        _at("10-31 09:00", user_key="ben", show_id="show-a", impression_rank=2),
        _at("11-03 09:00", user_key="ben", show_id="show-a", impression_rank=3),
    ],
}
"""Rows as of 26 October and 2 November 2026."""

REPORTS: Events = {
    "show_catalog_entry": [_entry("10-01 00:00", "show-a", "creator-1", "music")],
    "chat_message": [
        _at("11-02 10:00", user_key="carl", show_id="show-a", message_id="m-1"),
        _at("11-03 08:00", user_key="carl", show_id="show-a", message_id="m-2"),
    ],
    "content_report": [
        _report("r-0", "11-02 10:30", "anna", "message", "m-1"),
        _report("r-1", "11-02 11:00", "ben", "message", "m-1"),
        _report("r-2", "11-02 12:00", "anna", "message", "m-1"),
        _report("r-3", "11-03 09:00", "dora", "user", "carl", arrived="11-03 10:00"),
        _report("r-4", "11-04 08:00", "anna", "show", "show-a"),
        _report("r-5", "11-04 09:00", "ben", "message", "m-unknown"),
        _report("r-0", "11-02 10:30", "anna", "message", "m-1", arrived="11-05 00:00"),  # sent again
    ],
    "moderation_decision": [
        _decision("d-0", "11-02 11:30", "r-0", "message", "m-1", "remove", "moderator"),
        _decision("d-1", "11-03 09:30", "r-3", "user", "carl", "none", "model"),  # before the report itself arrived
        _decision("d-2", "11-05 08:00", None, "show", "show-a", "warn", "moderator"),
    ],
}
"""Reports from 2 November 2026 on."""


def with_another_future(events: Mapping[str, Sequence[Row]], *, cut: datetime, seed: int) -> Events:
    """The events of which all that had not both happened and arrived before `cut` (UTC) is another.

    Some of it is gone, the rest has other persons, shows, targets and values, or comes twice.
    """
    chance = random.Random(seed)  # noqa: S311 - it makes test data
    changed: Events = {}
    for name, rows in events.items():
        past = [row for row in rows if max(_moment(row["occurred_at"]), _moment(row["arrived_at"])) < cut]
        future = [row for row in rows if row not in past]
        changed[name] = [
            *past,
            *(_another(chance, chance.choice(rows), future, cut) for _ in range(2 * len(future) + 2)),
        ]
        chance.shuffle(changed[name])
    return changed


def _another(chance: random.Random, model: Row, future: Sequence[Row], cut: datetime) -> Row:
    """A future event with values of others; it may say that it happened long before it arrives."""
    mixed = {name: chance.choice([model, *future]).get(name, value) for name, value in model.items()}
    arrived = cut + timedelta(minutes=chance.randrange(20 * 24 * 60))
    occurred = arrived - timedelta(minutes=chance.choice((0, 0, 3, 60 * 24, 9 * 60 * 24)))
    mixed |= {
        name: f"{value}-{chance.randrange(3)}" for name, value in mixed.items() if name in ("user_key",) and value
    }
    return mixed | {
        "event_id": f"future-{chance.random()}",
        "occurred_at": occurred.isoformat(sep=" "),
        "arrived_at": arrived.isoformat(sep=" "),
    }


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
