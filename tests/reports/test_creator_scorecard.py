"""What a creator's shows were worth in 28 days, on rows whose answers are worked out here."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tests.reports.small_lake import SmallLake, at, days

LONG_AGO = at("00:00", day=days(-400))


def _scorecards(lake: SmallLake) -> dict[str, dict[str, Any]]:
    return {row["creator_key"]: row for row in lake.run("creator_scorecard")}


def test_a_creator_without_a_listener_has_zeros_and_no_shares(lake: SmallLake) -> None:
    lake.show("a", LONG_AGO, show_creator_key="anna", show_status="live")
    lake.show("b", LONG_AGO, show_creator_key="anna", show_status="ended")
    lake.show("nobody-s", LONG_AGO)
    row = _scorecards(lake)["anna"]
    assert (row["shows"], row["shows_live"]) == (2, 1)
    nothing = {"listeners_before", "minutes_listened_before", "listeners_on_several_days_share", "minutes_per_listener"}
    assert {row[name] for name in nothing} == {None}
    assert {
        value for name, value in row.items() if name not in {"day", "creator_key", "shows", "shows_live", *nothing}
    } == {0}
    assert set(_scorecards(lake)) == {"anna"}


def test_listeners_are_counted_once_over_shows_and_by_whether_they_are_new(lake: SmallLake) -> None:
    lake.show("a", LONG_AGO, show_creator_key="anna")
    lake.show("b", LONG_AGO, show_creator_key="anna")
    for listener, show, back in (
        ("x", "a", 0), ("x", "b", 0), ("x", "a", 27),  # two days
        ("y", "a", 3), ("y", "a", 28),  # heard the creator before
        ("z", "a", 3), ("z", "b", 3),  # one day
        ("old", "a", 55), ("older", "a", 56), ("future", "a", -1),
    ):  # fmt: skip
        lake.session(listener, show, at("10:00", day=days(-back)), at("10:10", day=days(-back)))
    row = _scorecards(lake)["anna"]
    assert row["listeners"] == 3, "x, y, z"
    assert row["listeners_new"] == 2, "x and z"
    assert row["sessions"] == 3 + 1 + 2
    assert row["listeners_on_several_days_share"] == 1 / 3, "x alone: y's other session lies in the 28 days before"


def test_statistics_are_those_of_28_days_against_the_28_before(lake: SmallLake) -> None:
    lake.show("a", LONG_AGO, show_creator_key="anna")
    lake.show("b", LONG_AGO, show_creator_key="anna")
    lake.statistics(days(0), "a", minutes_listened=Decimal("10.5"), peak_concurrency=3, likes=1, calls=1, poll_votes=2)
    lake.statistics(days(0), "b", minutes_listened=Decimal("1.5"), peak_concurrency=2, follows_gained=-2)
    lake.statistics(days(-27), "a", minutes_listened=Decimal("8"), peak_concurrency=4, chat_messages=7)
    lake.statistics(days(-28), "a", minutes_listened=Decimal("100"))
    lake.statistics(days(-55), "a", minutes_listened=Decimal("11"))
    lake.statistics(days(1), "a", minutes_listened=Decimal("1000"))
    lake.session("x", "a", at("10:00"), at("10:10"))
    lake.session("y", "a", at("10:00"), at("10:10"))
    row = _scorecards(lake)["anna"]
    assert (row["minutes_listened"], row["minutes_listened_before"]) == (10.5 + 1.5 + 8, 100 + 11)
    assert (row["shows_heard"], row["days_heard"], row["peak_concurrency_of_a_show"]) == (2, 2, 4)
    assert (row["likes"], row["calls"], row["chat_messages"], row["poll_votes"]) == (1, 1, 7, 2)
    assert (row["follows_gained"], row["minutes_per_listener"]) == (-2, 20 / 2)
    assert row["listeners_before"] == 0, "the data reach as far back, and nobody listened"


def test_what_the_data_do_not_reach_is_null(lake: SmallLake) -> None:
    lake.show("a", LONG_AGO, show_creator_key="anna")
    lake.statistics(days(-54), "a", minutes_listened=Decimal("11"))
    row = _scorecards(lake)["anna"]
    assert (row["minutes_listened_before"], row["listeners_before"]) == (None, None)


def test_a_show_counts_for_whoever_has_it_at_the_day_s_end(lake: SmallLake) -> None:
    lake.show("a", LONG_AGO, at("12:00"), show_creator_key="anna")
    lake.show("a", at("12:00"), show_creator_key="ben")
    lake.statistics(days(-5), "a", minutes_listened=Decimal("4"))
    assert {name: row["minutes_listened"] for name, row in _scorecards(lake).items()} == {"ben": 4}


def test_follows_of_the_creator_count_apart_from_those_of_shows(lake: SmallLake) -> None:
    of = {"follow_target_kind": "creator", "follow_target_key": "ben"}
    lake.happened(
        "follow",
        {"follow_action": "follow", "occurred_at": at("10:00"), **of},
        {"follow_action": "follow", "occurred_at": at("00:00", day=days(-27)), **of},
        {"follow_action": "unfollow", "occurred_at": at("10:00", day=days(-3)), **of},
        {"follow_action": "follow", "occurred_at": at("23:59", day=days(-28)), **of},
        {"follow_action": "follow", "occurred_at": at("00:00", day=days(1)), **of},
        {"follow_action": "follow", "occurred_at": at("10:00"), "follow_target_kind": "show", "follow_target_id": "a"},
    )
    row = _scorecards(lake)["ben"]
    assert (row["creator_follows_gained"], row["follows_gained"], row["shows"]) == (1, 0, 0)
