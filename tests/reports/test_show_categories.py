"""How listening spreads over topics, languages and hours, on rows whose answers are worked out here."""

from __future__ import annotations

from typing import Any

import pytest

from tests.reports.small_lake import SmallLake, at, days

LONG_AGO = at("00:00", day=days(-400))


def _by(lake: SmallLake, dimension: str) -> dict[str, dict[str, Any]]:
    return {row["category"]: row for row in lake.run("show_categories") if row["dimension"] == dimension}


def test_a_day_without_listening_has_no_row(lake: SmallLake) -> None:
    lake.show("a", LONG_AGO, show_topics=["music"], show_language="en")
    lake.heard("anna", "a", at("10:00", day=days(-1)), at("10:30", day=days(-1)))
    assert lake.run("show_categories") == []


def test_the_main_topic_and_the_language_of_a_show_count(lake: SmallLake) -> None:
    lake.show("a", LONG_AGO, show_topics=["music", "night"], show_language="en")
    lake.show("b", LONG_AGO, show_topics=["music"], show_language="de-AT")
    lake.show("c", LONG_AGO, show_topics=[], show_language=None)
    lake.heard("anna", "a", at("10:00"), at("10:30"))
    lake.heard("anna", "b", at("11:00"), at("11:10"))
    lake.heard("ben", "c", at("10:00"), at("10:05"))
    lake.heard(None, "not-in-the-catalog", at("10:00"), at("10:15"))
    topics, languages = _by(lake, "topic"), _by(lake, "language")
    # 30 + 10 + 5 + 15 = 60 minutes, two listeners.
    told = {name: (row["shows"], row["listeners"], row["minutes_listened"]) for name, row in topics.items()}
    assert told == {"music": (2, 1, 40), "unknown": (2, 1, 20)}
    assert topics["music"]["minutes_listened_share"] == pytest.approx(40 / 60)
    assert topics["music"]["listeners_share"] == 1 / 2
    assert {name: row["minutes_listened"] for name, row in languages.items()} == {"en": 30, "de-AT": 10, "unknown": 20}


def test_an_interval_is_spread_over_the_hours_in_which_it_was_heard(lake: SmallLake) -> None:
    lake.heard("anna", "a", at("22:30", day=days(-1)), at("01:15"))
    lake.heard("ben", "a", at("09:00"), at("10:00"))
    lake.heard("cleo", "a", at("23:50"), at("00:10", day=days(1)))
    hours = _by(lake, "hour")
    # anna 60 minutes from 00 and 15 from 01; ben ends as 10 begins; cleo 10 from 23: 145 in all.
    told = {name: (row["listeners"], row["minutes_listened"]) for name, row in hours.items()}
    assert told == {"00": (1, 60), "01": (1, 15), "09": (1, 60), "23": (1, 10)}
    assert sum(row["minutes_listened_share"] for row in hours.values()) == pytest.approx(1)
    assert hours["01"]["minutes_listened_share"] == pytest.approx(15 / 145)


def test_listening_of_nobody_known_has_minutes_and_no_share_of_listeners(lake: SmallLake) -> None:
    lake.heard(None, "a", at("10:00"), at("10:30"))
    row = _by(lake, "topic")["unknown"]
    assert (row["listeners"], row["listeners_share"], row["minutes_listened_share"]) == (0, None, 1)


def test_minutes_are_rounded_as_those_of_the_statistics(lake: SmallLake) -> None:
    # 0.03 s are 0.0005 minutes, which is half of a thousandth; 0.029 s are less.
    lake.heard("anna", "a", at("10:00:00.000"), at("10:00:00.030"))
    lake.heard("anna", "b", at("11:00:00.000"), at("11:00:00.029"))
    assert [float(row["minutes_listened"]) for row in _by(lake, "hour").values()] == [0.001, 0.0]
