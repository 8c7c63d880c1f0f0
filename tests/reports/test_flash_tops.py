"""Top shows and creators, what moved, and what changed in the catalog."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.reports.small_lake import DAY, SmallLake, at, days

LONG_AGO = at("00:00", day=days(-100))


def _listen(lake: SmallLake, show: str, minutes: str, *, back: int = 0, **counts: Any) -> None:
    lake.statistics(days(-back), show, minutes_listened=Decimal(minutes), **counts)


def test_shows_are_ranked_by_minutes_then_listeners_then_name(lake: SmallLake) -> None:
    _listen(lake, "b", "6", listeners=2)
    _listen(lake, "a", "6", listeners=2)
    _listen(lake, "c", "6", listeners=3)
    _listen(lake, "d", "2", listeners=9)
    _listen(lake, "silent", "0", likes=50)
    _listen(lake, "a", "1", back=1)
    _listen(lake, "d", "3", back=1)
    rows = lake.run("flash_top_shows")
    assert [row["show_id"] for row in rows] == ["c", "a", "b", "d"]
    assert [row["place_yesterday"] for row in rows] == [None, 2, None, 1]
    assert [row["minutes_listened_share"] for row in rows] == pytest.approx([6 / 20, 6 / 20, 6 / 20, 2 / 20])
    assert [row["minutes_listened_yesterday"] for row in rows] == [0, 1, 0, 3]
    assert {row["minutes_listened_week_before"] for row in rows} == {None}


def test_there_are_twenty_top_shows_at_most(lake: SmallLake) -> None:
    for number in range(25):
        _listen(lake, f"show-{number:02}", str(100 - number))
    rows = lake.run("flash_top_shows")
    assert [row["place"] for row in rows] == list(range(1, 21))
    assert rows[-1]["show_id"] == "show-19"


def test_a_show_has_the_title_that_it_had_at_the_day_s_end(lake: SmallLake) -> None:
    _listen(lake, "a", "5")
    _listen(lake, "unknown", "4")
    lake.show("a", LONG_AGO, at("12:00"), show_title="old", show_creator_key="anna")
    lake.show("a", at("12:00"), at("00:00", day=days(1)), show_title="of the day", show_creator_key="ben")
    lake.show("a", at("00:00", day=days(1)), show_title="later", show_creator_key="cleo")
    found = [(row["show_id"], row["title"], row["creator_key"]) for row in lake.run("flash_top_shows")]
    assert found == [("a", "of the day", "ben"), ("unknown", None, None)]


def test_creators_have_the_sum_of_their_shows_and_each_listener_once(lake: SmallLake) -> None:
    for show, creator in (("a", "anna"), ("b", "anna"), ("c", "ben"), ("nobody-s", None)):
        lake.show(show, LONG_AGO, show_creator_key=creator)
    _listen(lake, "a", "10", sessions=1, peak_concurrency=2, likes=1)
    _listen(lake, "b", "5", sessions=2, peak_concurrency=1, likes=2)
    _listen(lake, "c", "5", sessions=1, peak_concurrency=1)
    _listen(lake, "nobody-s", "20")
    _listen(lake, "c", "7", back=1)
    lake.heard("x", "a", at("10:00"), at("10:10"))
    lake.heard("x", "b", at("11:00"), at("11:05"))
    lake.heard("y", "c", at("11:00"), at("11:05"))
    anna, ben = lake.run("flash_top_creators")
    assert (anna["creator_key"], anna["place"], anna["shows"], anna["listeners"]) == ("anna", 1, 2, 1)
    assert (anna["minutes_listened"], anna["minutes_listened_share"]) == (15, 15 / 40)
    assert (anna["sessions"], anna["peak_concurrency_of_a_show"], anna["likes"]) == (3, 2, 3)
    assert (ben["creator_key"], ben["minutes_listened"], ben["minutes_listened_yesterday"]) == ("ben", 5, 7)


def test_a_mover_is_told_with_its_part_of_all_movement(lake: SmallLake) -> None:
    _listen(lake, "up", "30", listeners=3)
    _listen(lake, "up", "10", back=1, listeners=1)
    _listen(lake, "gone", "5", back=1, listeners=2)
    _listen(lake, "new", "15", listeners=1)
    _listen(lake, "same", "8", listeners=1)
    _listen(lake, "same", "8", back=1, listeners=1)
    rows = {row["show_id"]: row for row in lake.run("flash_movers")}
    # Minutes: up +20, gone -5, new +15; 40 of movement, +30 in all. Listeners: +2, -2, +1; 5 of movement, +1 in all.
    assert {(name, row["minutes_listened_change"], row["place"]) for name, row in rows.items()} == {
        ("up", 20, 1), ("new", 15, 2), ("gone", -5, 3),
    }  # fmt: skip
    assert {row["minutes_listened_change_of_all"] for row in rows.values()} == {30}
    assert {row["listeners_change_of_all"] for row in rows.values()} == {1}
    assert rows["gone"]["minutes_listened_change_share"] == 5 / 40
    assert rows["gone"]["listeners_change_share"] == 2 / 5
    assert (rows["gone"]["place_by_listeners"], rows["up"]["place_by_listeners"]) == (2, 1), "+2 has more minutes"
    assert {row["compared_with"] for row in rows.values()} == {"yesterday"}, "there are no data of the week before"


def test_the_week_before_is_compared_once_there_are_data(lake: SmallLake) -> None:
    _listen(lake, "a", "10", listeners=1)
    _listen(lake, "a", "4", back=7, listeners=1)
    rows = lake.run("flash_movers")
    assert [(row["compared_with"], row["minutes_listened_change"]) for row in rows] == [
        ("week_before", 6), ("yesterday", 10),
    ]  # fmt: skip
    assert [row["listeners_change_share"] for row in rows] == [None, 1.0], "none moved, which is no division by zero"


def test_changes_of_the_catalog_are_those_of_the_day(lake: SmallLake) -> None:
    lake.show("old", LONG_AGO, at("09:00"), show_title="A", show_status="live", show_version=1)
    lake.show(
        "old", at("09:00"), at("10:00"), show_title="B", show_status="live", show_version=2,
        changed_columns=["show_title", "show_topics"],
    )  # fmt: skip
    lake.show(
        "old", at("10:00"), None, show_title="B", show_status="withdrawn", show_version=3,
        changed_columns=["show_status"],
    )  # fmt: skip
    lake.show("new", at("08:00"), None, show_title="N", show_status="draft")
    lake.show("later", at("00:00", day=days(1)), None, show_title="L")
    lake.show("before", at("23:59:59", day=days(-1)), None, show_title="L")
    rows = lake.run("flash_catalog_changes")
    told = [(r["show_id"], r["change"], r["changed_columns"], r["title_before"], r["status_before"]) for r in rows]
    assert told == [
        ("new", "added", None, None, None),
        ("old", "changed", "show_title, show_topics", "A", "live"),
        ("old", "withdrawn", "show_status", "B", "live"),
    ]


@pytest.mark.parametrize("model", ["flash_top_shows", "flash_top_creators", "flash_movers", "flash_catalog_changes"])
def test_a_day_of_nothing_has_no_row(lake: SmallLake, model: str) -> None:
    _listen(lake, "a", "0", back=1)
    assert lake.run(model, day=DAY) == []
