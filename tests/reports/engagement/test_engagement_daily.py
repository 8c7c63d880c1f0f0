"""Active listeners, stickiness and minutes, against numbers worked out by hand."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from tests.reports.small_lake import DAY, Row, SmallLake, at


def _before(days: int) -> date:
    return DAY - timedelta(days=days)


def _session(
    listener: str | None, start: str, end: str, *, days_ago: int = 0, until_days_ago: int | None = None
) -> Row:
    last = days_ago if until_days_ago is None else until_days_ago
    return {
        "session_key": f"{listener}-{start}-{days_ago}",
        "listener_key": listener,
        "show_id": "show-1",
        "started_at": at(start, day=_before(days_ago)),
        "ended_at": at(end, day=_before(last)),
    }


def test_an_empty_day_has_a_row_of_zeros_and_no_shares(lake: SmallLake) -> None:
    (row,) = lake.run("engagement_daily")
    counts = (
        "daily_active",
        "weekly_active",
        "monthly_active",
        "days_with_activity",
        "app_opens",
        "listeners",
        "sessions",
    )
    assert [row[name] for name in counts] == [0] * 7
    assert row["minutes_listened"] == 0
    shares = ("stickiness_share", "listening_share", "minutes_per_listener", "sessions_per_listener")
    assert [row[name] for name in shares] == [None] * 4


def test_windows_count_each_listener_once_and_end_with_the_day(lake: SmallLake) -> None:
    lake.happened(
        "app_opened",
        {"user_key": "ann", "occurred_at": at("00:00")},
        {"user_key": "ann", "device_key": "phone", "occurred_at": at("23:59:59.999")},  # once more: the same listener
        {"device_key": "tablet", "occurred_at": at("12:00")},  # nobody signed in: the device is the listener
        {"occurred_at": at("12:00")},  # of nobody: an open, not a listener
        {"user_key": "week", "occurred_at": at("00:00", day=_before(6))},
        {"user_key": "month", "occurred_at": at("23:59", day=_before(7))},
        {"user_key": "month", "occurred_at": at("00:00", day=_before(27))},
        {"user_key": "gone", "occurred_at": at("23:59:59.999", day=_before(28))},
        {"user_key": "future", "occurred_at": at("00:00", day=_before(-1))},
    )
    (row,) = lake.run("engagement_daily")
    assert (row["daily_active"], row["weekly_active"], row["monthly_active"]) == (2, 3, 4)
    assert row["stickiness_share"] == 2 / 4
    assert row["app_opens"] == 4
    assert row["days_with_activity"] == 4  # the day, 6, 7 and 27 days before


def test_who_hears_something_is_active_on_each_day_that_the_session_reaches(lake: SmallLake) -> None:
    lake.fill(
        "transformed.sessions",
        _session("over-midnight", "23:50", "00:10", days_ago=1, until_days_ago=0),
        _session("until-midnight", "23:50", "00:00", days_ago=1, until_days_ago=0),  # heard nothing on the day
        _session("three-days", "20:00", "01:00", days_ago=1, until_days_ago=-1),
        _session("tomorrow", "00:00", "00:10", days_ago=-1),
    )
    (row,) = lake.run("engagement_daily")
    assert (row["listeners"], row["daily_active"], row["weekly_active"]) == (2, 2, 3)
    assert row["listening_share"] == 1.0


def test_sessions_and_minutes_are_those_of_the_show_statistics(lake: SmallLake) -> None:
    lake.fill(
        "transformed.sessions",
        _session("ann", "08:00", "08:20"),
        _session("ben", "09:00", "09:10"),
    )
    lake.happened(
        "app_opened", *({"user_key": name, "occurred_at": at("07:00")} for name in ("ann", "ben", "cleo", "dan"))
    )
    lake.fill(
        "transformed.show_statistics_daily",
        {"day": DAY, "show_id": "show-1", "sessions": 2, "minutes_listened": "20.5"},
        {"day": DAY, "show_id": "show-2", "sessions": 1, "minutes_listened": "10.25"},
        {"day": _before(1), "show_id": "show-1", "sessions": 9, "minutes_listened": "99"},
        {"day": _before(-1), "show_id": "show-1", "sessions": 9, "minutes_listened": "99"},
    )
    (row,) = lake.run("engagement_daily")
    assert row["sessions"] == 3
    assert float(row["minutes_listened"]) == 30.75
    assert row["minutes_per_listener"] == pytest.approx(30.75 / 2)
    assert row["sessions_per_listener"] == 1.5
    assert row["listening_share"] == 0.5  # ann and ben of four
