"""The week and the month against those before, on rows whose answers are worked out here."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.reports.small_lake import DAY, SmallLake, at


def _review(lake: SmallLake, period: str, *, day: date = DAY) -> dict[str, Any]:
    (row,) = lake.run(f"business_review_{period}", day=day)
    return row


def _minutes(lake: SmallLake, day: date, minutes: int, **counts: Any) -> None:
    lake.statistics(day, "a", minutes_listened=Decimal(minutes), **counts)


@pytest.mark.parametrize("period", ["week", "month"])
def test_without_data_there_are_zeros_and_the_gap_is_told(lake: SmallLake, period: str) -> None:
    row = _review(lake, period)
    assert (row["listeners"], row["minutes_listened"], row["minutes_per_listener"]) == (0, 0, None)
    assert (row["listeners_before"], row["listeners_year_before"]) == (None, None)
    assert row["before_gap"] == row["year_before_gap"] == "there are no data"


def test_a_week_goes_from_monday_to_the_day_and_so_do_those_it_is_compared_with(lake: SmallLake) -> None:
    # The day is a Wednesday: 16 to 18 November against 9 to 11, and 52 weeks before against 17 to 19 November 2025.
    for day, minutes in (
        (date(2026, 11, 15), 1000), (date(2026, 11, 16), 1), (date(2026, 11, 18), 2), (date(2026, 11, 19), 1000),
        (date(2026, 11, 8), 1000), (date(2026, 11, 9), 10), (date(2026, 11, 11), 20), (date(2026, 11, 12), 1000),
        (date(2025, 11, 16), 1000), (date(2025, 11, 17), 100), (date(2025, 11, 19), 200), (date(2025, 11, 20), 1000),
    ):  # fmt: skip
        _minutes(lake, day, minutes, sessions=1, likes=minutes)
    row = _review(lake, "week")
    assert (row["first_day"], row["days"], row["data_begin_on"]) == (date(2026, 11, 16), 3, date(2025, 11, 16))
    assert (row["before_gap"], row["year_before_gap"]) == (None, None)
    for name in ("minutes_listened", "likes"):
        assert (row[name], row[f"{name}_before"], row[f"{name}_year_before"]) == (3, 30, 300)
    assert (row["sessions"], row["sessions_before"], row["sessions_year_before"]) == (2, 2, 2)


def test_a_month_is_compared_with_the_same_days_of_the_one_before(lake: SmallLake) -> None:
    for day, minutes in (
        (date(2026, 10, 31), 1000), (date(2026, 11, 1), 1), (date(2026, 11, 18), 2),
        (date(2026, 10, 1), 10), (date(2026, 10, 18), 20), (date(2026, 10, 19), 1000), (date(2025, 11, 1), 100),
        (date(2025, 11, 18), 200), (date(2025, 11, 19), 1000),
    ):  # fmt: skip
        _minutes(lake, day, minutes)
    row = _review(lake, "month")
    assert (row["first_day"], row["days"]) == (date(2026, 11, 1), 18)
    found = (row["minutes_listened"], row["minutes_listened_before"], row["minutes_listened_year_before"])
    assert found == (3, 30, 300)


def test_a_month_longer_than_the_one_before_is_compared_with_all_of_that(lake: SmallLake) -> None:
    _minutes(lake, date(2026, 2, 1), 5)
    _minutes(lake, date(2026, 2, 28), 7)
    _minutes(lake, date(2026, 3, 31), 1)
    row = _review(lake, "month", day=date(2026, 3, 31))
    assert (row["minutes_listened"], row["minutes_listened_before"]) == (1, 12)


def test_what_the_data_do_not_reach_whole_is_null_and_says_why(lake: SmallLake) -> None:
    _minutes(lake, date(2026, 11, 9), 10)
    row = _review(lake, "week")
    assert (row["minutes_listened_before"], row["before_gap"]) == (10, None)
    assert row["minutes_listened_year_before"] is None
    assert row["year_before_gap"] == "data begin on 2026-11-09, and this would begin on 2025-11-17"
    later = _review(lake, "week", day=date(2026, 11, 11))
    assert later["minutes_listened_before"] is None, "the week before begins before the data do"


def test_listeners_are_counted_once_in_a_period_and_in_all_that_they_reach(lake: SmallLake) -> None:
    _minutes(lake, date(2026, 11, 1), 0)
    monday = date(2026, 11, 16)
    lake.session("anna", "a", at("10:00", day=monday), at("10:10", day=monday))
    lake.session("anna", "b", at("10:00"), at("10:10"))
    lake.session("ben", "a", at("23:50", day=monday - timedelta(days=1)), at("00:10", day=monday))
    lake.session("cleo", "a", at("23:00", day=monday - timedelta(days=1)), at("00:00", day=monday))
    lake.session("dora", "a", at("00:00", day=DAY + timedelta(days=1)), at("01:00", day=DAY + timedelta(days=1)))
    lake.session("emil", "a", at("23:59", day=date(2026, 11, 11)), at("00:30", day=date(2026, 11, 12)))
    row = _review(lake, "week")
    assert (row["listeners"], row["listeners_before"]) == (2, 1), "anna and ben; of the week before emil alone"


def test_new_users_and_minutes_of_a_listener(lake: SmallLake) -> None:
    _minutes(lake, DAY, 30)
    lake.session("anna", "a", at("10:00"), at("10:10"))
    lake.session("ben", "a", at("10:00"), at("10:10"))
    lake.happened(
        "sign_up",
        {"user_key": "anna", "occurred_at": at("08:00")},
        {"user_key": "anna", "occurred_at": at("08:01")},
        {"user_key": "later", "occurred_at": at("00:00", day=DAY + timedelta(days=1))},
    )
    row = _review(lake, "week")
    assert (row["new_users"], row["minutes_per_listener"]) == (1, 30 / 2)
