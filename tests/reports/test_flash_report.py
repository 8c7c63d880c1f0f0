"""The day in numbers, each against days before, on rows whose answers are worked out here."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.reports.small_lake import DAY, SmallLake, at, days

KNOWN = Path(__file__).parent.parent / "transforms" / "known_answers" / "statistics.json"


def _report(lake: SmallLake) -> dict[str, Any]:
    (row,) = lake.run("flash_events", "flash_report")
    return row


def test_a_lake_without_a_row_reports_zeros_and_compares_with_nothing(lake: SmallLake) -> None:
    row = _report(lake)
    compared = [name for name in row if name.endswith(("_yesterday", "_week_before", "_mean_28_days"))]
    assert len(compared) == 3 * 12
    assert {row[name] for name in compared} == {None}
    assert {row[name] for name in row if name not in compared and name != "day"} == {0}


def test_statistics_of_shows_add_up_and_compare(lake: SmallLake) -> None:
    lake.statistics(DAY, "a", listeners=3, sessions=4, minutes_listened=Decimal("10.000"), peak_concurrency=2, likes=5)
    lake.statistics(DAY, "b", listeners=1, sessions=1, minutes_listened=Decimal("2.500"), peak_concurrency=1, calls=2)
    lake.statistics(DAY, "c", follows_gained=-1, chat_messages=3, poll_votes=4)
    lake.statistics(days(-1), "a", minutes_listened=Decimal("8.000"), peak_concurrency=5, sessions=2)
    lake.statistics(days(-7), "a", minutes_listened=Decimal("20.000"), peak_concurrency=9)
    lake.statistics(days(1), "a", minutes_listened=Decimal("99.000"), sessions=99)
    row = _report(lake)
    # The first day with data is a week before: the mean goes over 7 days, of which 5 had nothing.
    assert row["days_compared"] == 7
    assert row["minutes_listened"] == Decimal("12.500")
    assert (row["minutes_listened_yesterday"], row["minutes_listened_week_before"]) == (8, 20)
    assert row["minutes_listened_mean_28_days"] == (8 + 20) / 7 == 4.0
    assert row["sessions"] == 4 + 1
    assert row["sessions_mean_28_days"] == 2 / 7
    assert row["shows"] == 2, "nothing was heard of the third"
    assert (row["shows_yesterday"], row["shows_week_before"]) == (1, 1)
    assert (row["peak_concurrency_of_a_show"], row["peak_concurrency_of_a_show_week_before"]) == (2, 9)
    assert (row["likes"], row["calls"], row["follows_gained"]) == (5, 2, -1)
    assert (row["chat_messages"], row["poll_votes"]) == (3, 4)


def test_a_day_of_nothing_within_the_data_is_zero_and_one_before_them_null(lake: SmallLake) -> None:
    lake.statistics(days(-2), "a", minutes_listened=Decimal("7.000"))
    row = _report(lake)
    assert (row["days_compared"], row["minutes_listened"]) == (2, 0)
    assert row["minutes_listened_yesterday"] == 0
    assert row["minutes_listened_week_before"] is None
    assert row["minutes_listened_mean_28_days"] == 7 / 2


def test_the_mean_goes_over_the_28_days_before_and_no_longer(lake: SmallLake) -> None:
    lake.statistics(days(-29), "a", likes=1000)
    lake.statistics(days(-28), "a", likes=28)
    lake.statistics(days(-1), "a", likes=28)
    lake.statistics(DAY, "a", likes=1000)
    row = _report(lake)
    assert (row["days_compared"], row["likes_mean_28_days"]) == (28, (28 + 28) / 28)


def test_a_listener_is_one_over_all_shows_and_devices(lake: SmallLake) -> None:
    lake.heard("anna", "a", at("10:00"), at("10:10"))
    lake.heard("anna", "b", at("10:05"), at("10:15"))
    lake.heard("ben", "b", at("10:10"), at("10:20"))
    lake.heard("cleo", "a", at("10:20"), at("10:30"))
    lake.heard(None, "a", at("10:00"), at("10:30"))
    row = _report(lake)
    assert row["listeners"] == 3
    assert row["peak_concurrency"] == 2, "10:10 to 10:15: anna, once, and ben; cleo begins as ben ends"


def test_an_interval_over_midnight_is_heard_on_both_days(lake: SmallLake) -> None:
    lake.statistics(days(-1), "a")
    lake.heard("anna", "a", at("23:50", day=days(-1)), at("00:05"))
    lake.heard("ben", "a", at("23:55"), at("00:05", day=days(1)))
    lake.heard("cleo", "a", at("23:00", day=days(-1)), at("00:00"))
    lake.heard("dora", "a", at("00:00", day=days(1)), at("00:10", day=days(1)))
    row = _report(lake)
    assert row["listeners"] == 2, "anna and ben; cleo ended as the day began, dora listened on the next"
    assert (row["listeners_yesterday"], row["peak_concurrency_yesterday"]) == (2, 2)


def test_an_interval_counts_as_twelve_hours_at_most_and_one_of_nothing_not_at_all(lake: SmallLake) -> None:
    lake.statistics(days(-1), "a")
    lake.heard("anna", "a", at("10:00", day=days(-1)), at("13:00"))
    lake.heard("ben", "a", at("09:00"), at("09:00"))
    lake.happened("playback_metric", {"user_key": "cleo", "show_id": "a", "occurred_at": at("09:00")})
    row = _report(lake)
    assert (row["listeners"], row["listeners_yesterday"]) == (1, 0), "anna from 01:00 on"


def test_a_listener_who_listens_again_and_again_is_one_at_any_moment(lake: SmallLake) -> None:
    for minute in range(0, 50, 10):
        lake.heard("anna", "a", at(f"10:{minute:02}"), at(f"10:{minute + 9:02}"))
        lake.heard("anna", "b", at(f"10:{minute + 5:02}"), at(f"10:{minute + 9:02}:30"))
    assert _report(lake)["peak_concurrency"] == 1


def test_new_users_are_accounts_and_not_events(lake: SmallLake) -> None:
    lake.statistics(days(-1), "a")
    lake.happened(
        "sign_up",
        {"user_key": "anna", "occurred_at": at("00:00")},
        {"user_key": "anna", "occurred_at": at("08:00")},
        {"device_key": "phone", "occurred_at": at("09:00")},
        {"occurred_at": at("10:00")},
        {"user_key": "ben", "occurred_at": at("23:59", day=days(-1))},
        {"user_key": "cleo", "occurred_at": at("00:00", day=days(1))},
    )
    row = _report(lake)
    assert (row["new_users"], row["new_users_yesterday"]) == (3, 1)


def test_events_are_those_of_all_types(lake: SmallLake) -> None:
    lake.happened("like", {"occurred_at": at("08:00")}, {"occurred_at": at("08:00", day=days(-1))})
    lake.happened("app_opened", {"occurred_at": at("09:00")})
    assert _report(lake)["events"] == 2


def test_listeners_and_peak_of_one_show_are_what_its_statistics_say(lake: SmallLake) -> None:
    known = json.loads(KNOWN.read_text())
    lake.happened("playback_metric", *known["playback_metric"])
    lake.statistics(days(-1), "show-1")
    row = _report(lake)
    of_day = {each["day"]: each for each in known["statistics"] if each["show_id"] == "show-1"}
    for suffix, day in (("", DAY), ("_yesterday", DAY - timedelta(days=1))):
        expected = of_day[day.isoformat()]
        assert row[f"listeners{suffix}"] == expected["listeners"]
        assert row[f"peak_concurrency{suffix}"] == expected["peak_concurrency"]
