"""From a delivered notification to listening, each with the whole of its time."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.reports.small_lake import DAY, Row, SmallLake, at

YESTERDAY = DAY - timedelta(days=1)


def _note(number: int, occurred_at: Any, **more: Any) -> Row:
    return {"notification_id": f"n-{number}", "user_key": f"u-{number}", "occurred_at": occurred_at, **more}


def _delivered(number: int, occurred_at: Any, **more: Any) -> Row:
    return _note(number, occurred_at, **{"notification_kind": "show_started", "notification_channel": "push", **more})


def _heard(number: int, occurred_at: Any) -> Row:
    return {"user_key": f"u-{number}", "occurred_at": occurred_at, "show_id": "show-1", "playback_listened_ms": 1}


def test_an_empty_day_has_no_row(lake: SmallLake) -> None:
    assert lake.run("notification_path") == []


def test_opening_has_120_minutes_and_listening_30_after_it(lake: SmallLake) -> None:
    lake.happened(
        "notification_delivered",
        *(_delivered(number, at("10:00")) for number in range(1, 8)),
        _delivered(1, at("10:01")),  # delivered again: the same notification to the same listener
        _delivered(8, at("10:00"), user_key=None),  # to nobody who is known
    )
    lake.happened(
        "notification_opened",
        _note(1, at("10:10")),
        _note(1, at("10:20")),  # opened again
        _note(2, at("12:00")),  # exactly 120 minutes
        _note(3, at("12:00:00.001")),
        _note(4, at("09:59")),  # before it was delivered
        _note(5, at("10:10"), user_key="u-6"),  # somebody else
        _note(7, at("10:10")),
    )
    lake.happened(
        "playback_metric",
        _heard(1, at("10:40")),  # exactly 30 minutes after the first opening
        _heard(1, at("10:15")),
        _heard(2, at("12:30:00.001")),
        _heard(7, at("10:10")),  # heard until the moment of opening, not after it
        _heard(6, at("10:15")),  # did not open
    )
    (row,) = lake.run("notification_path")
    assert (row["kind"], row["channel"]) == ("show_started", "push")
    assert (row["delivered"], row["opened"], row["listened"]) == (7, 3, 1)
    assert (row["opened_share"], row["listened_share"], row["delivery_to_listen_share"]) == (3 / 7, 1 / 3, 1 / 7)


def test_a_notification_counts_on_the_day_on_which_its_150_minutes_end(lake: SmallLake) -> None:
    lake.happened(
        "notification_delivered",
        _delivered(1, at("21:29:59.999", day=YESTERDAY)),
        _delivered(2, at("21:30", day=YESTERDAY)),  # over at midnight: the first of this day
        _delivered(3, at("21:29:59.999")),  # the last of this day
        _delivered(4, at("21:30")),
    )
    lake.happened("notification_opened", *(_note(n, at("23:00", day=YESTERDAY)) for n in (1, 2)), _note(3, at("23:20")))
    lake.happened("playback_metric", _heard(2, at("23:05", day=YESTERDAY)), _heard(3, at("23:50")))
    (today,) = lake.run("notification_path")
    (yesterday,) = lake.run("notification_path", day=YESTERDAY)
    assert (today["delivered"], today["opened"], today["listened"]) == (2, 2, 2)
    assert (yesterday["delivered"], yesterday["opened"], yesterday["listened"]) == (1, 1, 0)


def test_kinds_and_channels_have_rows_of_their_own_and_none_is_unknown(lake: SmallLake) -> None:
    lake.happened(
        "notification_delivered",
        _delivered(1, at("10:00"), notification_kind=None, notification_channel=None),
        _delivered(2, at("10:00"), notification_kind="digest", notification_channel="email"),
    )
    rows = lake.run("notification_path")
    assert [(row["kind"], row["channel"], row["delivered"]) for row in rows] == [
        ("digest", "email", 1),
        ("unknown", "unknown", 1),
    ]
    assert [row["listened_share"] for row in rows] == [None, None]
