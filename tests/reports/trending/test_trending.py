"""Trending shows: answers worked out by hand, one definition for two sources, and what does not trend."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from contracts.report_tables.trending import TRENDING_NOW, TRENDING_SETTLED
from tests.reports.small_lake import DAY, Row, SmallLake, at

NOON = at("12:00")
WEEK = timedelta(days=7)


def played(listener: str | None, show: str, ended_at: datetime, *, minutes: float = 10) -> Row:
    return {
        "user_key": listener,
        "show_id": show,
        "occurred_at": ended_at,
        "playback_listened_ms": round(minutes * 60_000),
    }


def crowd(show: str, ended_at: datetime, size: int, *, minutes: float = 10, name: str = "u") -> list[Row]:
    return [played(f"{name}-{number}", show, ended_at, minutes=minutes) for number in range(size)]


def gathered(
    lake: SmallLake, show: str, ended_at: datetime, size: int, *, minutes: float = 10, name: str = "u"
) -> None:
    """`crowd`, put into the lake at once."""
    lake.connection.execute(
        """
        insert into transformed.playback_metric by name
        select uuid() as event_id, $name || '-' || number as user_key, $show as show_id,
            $ended_at::timestamp as occurred_at, $heard_ms as playback_listened_ms
        from range($size) as numbers (number)
        """,
        {"show": show, "ended_at": ended_at, "size": size, "heard_ms": round(minutes * 60_000), "name": name},
    )


def landed(lake: SmallLake, event_type: str, *events: Row, arrived_after: timedelta = timedelta(seconds=2)) -> None:
    """The same events as they are delivered to the raw zone, persons by their ids."""
    for number, event in enumerate(events):
        columns = {"event_id": f"{event_type}-{number}", "arrived_at": event["occurred_at"] + arrived_after} | dict(
            event
        )
        columns["user_id"] = columns.pop("user_key")
        columns.setdefault("arrival", columns["arrived_at"].strftime("%Y-%m-%d-%H"))
        lake.fill(f"raw.{event_type}", columns)


def settled(lake: SmallLake, as_of: datetime = NOON, *, day: date = DAY) -> dict[str, dict[str, Any]]:
    rows = lake.run("trending_settled", day=day)
    return {row["show_id"]: row for row in rows if row["as_of"] == as_of}


def now(lake: SmallLake, as_of: datetime = NOON) -> dict[str, dict[str, Any]]:
    rows = lake.run("trending_now", day=as_of.date(), as_of=as_of.replace(tzinfo=UTC))
    return {row["show_id"]: row for row in rows}


def test_an_empty_lake_ranks_nothing(lake: SmallLake) -> None:
    assert lake.run("trending_settled") == []
    assert lake.run("trending_now", as_of=NOON.replace(tzinfo=UTC)) == []


def test_an_hours_points_are_capped_fade_and_add_up(lake: SmallLake) -> None:
    # In the hour to 12:00, weight 1: 10 minutes + min(25, 20) × 0.2 + min(3, 2) × 2 + min(11, 10) × 0.5 + 5 = 28.
    lake.happened("playback_metric", played("ann", "a", at("11:30")))
    lake.happened(
        "like",
        {"user_key": "ann", "show_id": "a", "occurred_at": at("11:31"), "like_count": 24},
        {"user_key": "ann", "show_id": "a", "occurred_at": at("11:32")},  # absent means one
        {"user_key": "ann", "show_id": "a", "occurred_at": at("11:32"), "like_count": -5},
    )
    call = {"user_key": "ann", "show_id": "a", "call_state": "requested"}
    lake.happened("call_in", *({**call, "occurred_at": at(f"11:3{n}")} for n in range(3)))
    lake.happened("call_in", {**call, "occurred_at": at("11:40"), "call_state": "ended"})
    lake.happened(
        "chat_message", *({"user_key": "ann", "show_id": "a", "occurred_at": at(f"11:{20 + n}")} for n in range(11))
    )
    follow = {"user_key": "ann", "follow_target_kind": "show", "follow_target_id": "a", "follow_action": "follow"}
    lake.happened("follow", *({**follow, "occurred_at": at(f"11:4{n}")} for n in range(2)))
    # In the hour to 11:00, weight 0.5 ^ (1 / 1.5) = 0.62996: 12 minutes, 7.55953. In the hour to 9:00, 0.25: 8, 2.
    lake.happened(
        "playback_metric",
        played("ben", "a", at("10:59:59.999"), minutes=12),
        played("ben", "a", at("08:30"), minutes=8),
    )
    found = settled(lake)["a"]
    assert found["activity"] == pytest.approx(28 + 7.55953 + 2, abs=1e-5)
    assert (found["listeners"], float(found["minutes_listened"])) == (2, 30.0)
    assert found["rank"] == 1


def test_an_hour_begins_with_its_first_moment_and_the_window_ends_before_as_of(lake: SmallLake) -> None:
    lake.happened(
        "playback_metric",
        played("ann", "first-of-hour", at("11:00")),
        played("ann", "last-of-hour-before", at("10:59:59.999999")),
        played("ann", "at-the-end", at("12:00")),
        played("ann", "first-of-window", at("06:00")),
        played("ann", "too-old", at("05:59:59.999")),
        played("ann", "future", at("00:00", day=DAY + timedelta(days=1))),
    )
    found = settled(lake)
    assert {show: round(row["activity"], 4) for show, row in found.items()} == {
        "first-of-hour": 10.0,
        "last-of-hour-before": 6.2996,
        "first-of-window": 0.9921,
    }
    assert "at-the-end" in settled(lake, at("13:00"))
    assert "future" not in settled(lake, at("00:00", day=DAY + timedelta(days=1)))


def test_a_listener_brings_60_points_at_most_and_nobody_brings_none(lake: SmallLake) -> None:
    lake.happened(
        "playback_metric",
        played("ann", "a", at("11:30"), minutes=600),
        played("ann", "a", at("10:30"), minutes=600),
        played(None, "a", at("11:30"), minutes=30),
        played("ben", "b", at("11:30"), minutes=0.9),  # less than a minute: no listener of the show
    )
    lake.happened("like", {"user_key": "cleo", "show_id": "c", "occurred_at": at("11:30"), "like_count": 20})
    found = settled(lake)
    assert [(row["activity"], row["activity_of_all"], row["listeners"]) for row in found.values()] == [
        (60.0, 60.0, 1), (0.0, 0.9, 0), (0.0, 4.0, 0),
    ]  # fmt: skip


def test_what_is_expected_is_the_usual_share_of_all_activity_at_this_hour_of_the_week(lake: SmallLake) -> None:
    # A week and four weeks before, a had 100 of 400 points and 300 of 400: half of all. Five weeks before is not asked.
    gathered(lake, "a", NOON - WEEK - timedelta(minutes=5), 10)
    gathered(lake, "b", NOON - WEEK - timedelta(minutes=5), 30)
    gathered(lake, "a", NOON - 4 * WEEK - timedelta(minutes=5), 30)
    gathered(lake, "b", NOON - 4 * WEEK - timedelta(minutes=5), 10)
    gathered(lake, "c", NOON - 5 * WEEK - timedelta(minutes=5), 500)
    # Now 1000 points: a 200, c, which has none usually, 800.
    gathered(lake, "a", NOON - timedelta(minutes=5), 20)
    gathered(lake, "c", NOON - timedelta(minutes=5), 80)
    found = settled(lake)
    a, c = found["a"], found["c"]
    assert (a["activity"], a["expected_activity"], a["usual_weeks"]) == (200.0, 500.0, 2)
    assert a["lift"] == pytest.approx((200 + 120) / (500 + 120))
    assert a["trending_score"] == pytest.approx((200 - 500) / 620**0.5)
    assert (c["expected_activity"], c["lift"]) == (0.0, pytest.approx(920 / 120))
    assert (c["rank"], c["is_trending"], a["is_trending"]) == (1, True, False)


def usual_evening(lake: SmallLake) -> None:
    """Ten shows with 20 listeners each at this hour of the four weeks before, and now."""
    for weeks in range(5):
        for show in range(10):
            gathered(lake, f"show-{show}", NOON - weeks * WEEK - timedelta(minutes=5), 20)


def test_a_crowd_at_a_small_show_trends_and_what_is_as_usual_does_not(lake: SmallLake) -> None:
    usual_evening(lake)
    gathered(lake, "small", NOON - timedelta(minutes=1), 40, name="new")
    found = settled(lake)
    assert [show for show, row in found.items() if row["is_trending"]] == ["small"]
    assert found["small"]["rank"] == 1


def test_few_bots_that_never_rest_do_not_trend(lake: SmallLake) -> None:
    usual_evening(lake)
    for hour in range(6, 12):
        gathered(lake, "bots", at(f"{hour:02}:59"), 19, minutes=60, name="bot")
    found = settled(lake)
    assert (found["bots"]["activity"], found["bots"]["listeners"]) == (19 * 60.0, 19)
    assert not any(row["is_trending"] for row in found.values())


def test_a_thousand_accounts_that_tap_without_listening_do_not_trend(lake: SmallLake) -> None:
    usual_evening(lake)
    lake.connection.execute(
        """
        insert into transformed."like" by name
        select 'e-' || n as event_id, 'bot-' || n as user_key, 'bots' as show_id, 50 as like_count,
            timestamp '2026-11-18 11:50:00' as occurred_at
        from range(1000) as numbers (n)
        """
    )
    found = settled(lake)
    assert (found["bots"]["activity"], found["bots"]["activity_of_all"]) == (0.0, 4000.0)
    assert not any(row["is_trending"] for row in found.values())


def test_a_quiet_night_does_not_trend(lake: SmallLake) -> None:
    # A few who are awake, of whom most hear one show, where usually somebody hears another.
    gathered(lake, "usual", at("03:30") - WEEK, 3)
    gathered(lake, "night", at("03:30"), 5)
    gathered(lake, "usual", at("03:30"), 1)
    found = settled(lake, at("04:00"))
    assert (found["night"]["expected_activity"], found["night"]["is_trending"]) == (0.0, False)
    assert found["night"]["lift"] == pytest.approx(170 / 120)


def test_a_rise_of_everything_is_no_trend(lake: SmallLake) -> None:
    for show in range(10):
        gathered(lake, f"show-{show}", NOON - WEEK - timedelta(minutes=5), 10)
        gathered(lake, f"show-{show}", NOON - timedelta(minutes=5), 50)
    assert {row["lift"] for row in settled(lake).values()} == {1.0}


def test_without_a_week_before_nothing_is_compared(lake: SmallLake) -> None:
    gathered(lake, "a", at("11:50"), 50)
    gathered(lake, "b", at("11:50"), 60)
    found = settled(lake)
    assert list(found) == ["b", "a"] or {show: row["rank"] for show, row in found.items()} == {"b": 1, "a": 2}
    columns = ("usual_weeks", "expected_activity", "lift", "trending_score", "is_trending")
    assert {tuple(row[name] for name in columns) for row in found.values()} == {(0, None, None, None, False)}


def test_now_and_settled_are_one_definition(lake: SmallLake) -> None:
    assert [column.name for column in TRENDING_NOW.columns] == [column.name for column in TRENDING_SETTLED.columns]
    usual_evening(lake)
    events = [
        *crowd("show-1", NOON - timedelta(minutes=5), 20),
        *crowd("small", NOON - timedelta(minutes=9), 40, name="n"),
    ]
    likes = [{"user_key": "n-1", "show_id": "small", "occurred_at": at("09:30"), "like_count": 7}]
    lake.connection.execute(
        "delete from transformed.playback_metric where occurred_at > timestamp '2026-11-18 00:00:00'"
    )
    lake.happened("playback_metric", *events)
    lake.happened("like", *likes)
    landed(lake, "playback_metric", *events)
    landed(lake, "playback_metric", *events, arrived_after=timedelta(seconds=5))  # delivered twice
    landed(lake, "like", *likes)
    assert now(lake) == settled(lake)
    assert now(lake)["small"]["is_trending"]


def test_now_knows_what_arrived_by_then_and_believes_no_clock_from_the_future(lake: SmallLake) -> None:
    landed(
        lake,
        "playback_metric",
        {**played("ann", "arrived", at("11:50")), "event_id": "1"},
        {**played("ann", "later", at("11:50")), "event_id": "2", "arrived_at": NOON},
        {**played("ann", "future", at("12:30")), "event_id": "3", "arrived_at": at("11:50")},
        {**played("ann", "an-hour-fast", at("06:30")), "event_id": "4", "arrived_at": at("05:30")},
        {**played("ann", "late", at("06:30")), "event_id": "5", "arrived_at": at("11:59")},
    )
    assert set(now(lake)) == {"arrived", "an-hour-fast", "late"}


def test_now_is_of_any_minute_and_keeps_the_days_latest_run(lake: SmallLake) -> None:
    landed(lake, "playback_metric", played("ann", "a", at("11:20")))
    now(lake, at("11:25"))
    found = now(lake, at("12:21"))
    # 61 minutes before: in the second hour back, 0.62996 of 10 minutes.
    assert [(row["as_of"], round(row["activity"], 4)) for row in lake.rows("trending_now")] == [(at("12:21"), 6.2996)]
    assert found["a"]["day"] == DAY
