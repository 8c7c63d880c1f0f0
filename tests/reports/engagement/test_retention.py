"""Cohorts by first day, against numbers worked out by hand."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from tests.reports.small_lake import DAY, SmallLake, at


def _opened(listener: str | None, days_ago: Iterable[int]) -> list[dict[str, Any]]:
    return [{"user_key": listener, "occurred_at": at("12:00", day=_before(days))} for days in days_ago]


def _before(days: int) -> date:
    return DAY - timedelta(days=days)


def _cohort(rows: list[dict[str, Any]], days_ago: int) -> dict[str, Any]:
    (row,) = [row for row in rows if row["cohort_day"] == _before(days_ago)]
    return row


def test_an_empty_lake_has_no_cohort(lake: SmallLake) -> None:
    assert lake.run("retention") == []


def test_a_cohort_is_counted_on_exactly_the_1st_7th_and_28th_day(lake: SmallLake) -> None:
    # Four begin 28 days ago. Day 1: ann, ben. Day 7: ann. Day 28, which is today: ann, cleo. Dan comes on day 2 only.
    lake.happened(
        "app_opened",
        *_opened("ann", (28, 27, 21, 0)),
        *_opened("ben", (28, 27)),
        *_opened("cleo", (28, 0)),
        *_opened("dan", (28, 26)),
    )
    (row,) = lake.run("retention")
    assert (row["cohort_day"], row["new_listeners"]) == (_before(28), 4)
    assert [row[f"returned_day_{days}"] for days in (1, 7, 28)] == [2, 1, 2]
    assert [row[f"day_{days}_share"] for days in (1, 7, 28)] == [0.5, 0.25, 0.5]


def test_a_day_that_is_not_there_yet_is_null_and_one_without_returns_is_zero(lake: SmallLake) -> None:
    lake.happened("app_opened", *_opened("ann", (0,)), *_opened("ben", (7,)), *_opened("cleo", (6, 5)))
    rows = lake.run("retention")
    assert [_cohort(rows, 0)[f"returned_day_{days}"] for days in (1, 7, 28)] == [None, None, None]
    assert [_cohort(rows, 7)[f"returned_day_{days}"] for days in (1, 7, 28)] == [0, 0, None]
    assert [_cohort(rows, 6)[f"day_{days}_share"] for days in (1, 7, 28)] == [1.0, None, None]


def test_who_was_here_long_ago_is_not_new_again(lake: SmallLake) -> None:
    lake.happened("app_opened", *_opened("ann", (400, 3)), *_opened("ben", (3, 2)))
    (row,) = lake.run("retention")
    assert (row["cohort_day"], row["new_listeners"], row["returned_day_1"]) == (_before(3), 1, 1)
    assert row["days_of_data_before"] == 397


def test_listening_counts_like_opening_and_repeats_count_once(lake: SmallLake) -> None:
    lake.fill(
        "transformed.sessions",
        {"listener_key": "ann", "started_at": at("23:50", day=_before(8)), "ended_at": at("00:10", day=_before(7))},
    )
    lake.happened("app_opened", *_opened("ann", (7, 7, 1, 1)), *_opened(None, (8,)))
    (row,) = lake.run("retention")
    assert (row["cohort_day"], row["new_listeners"]) == (_before(8), 1)
    assert (row["returned_day_1"], row["returned_day_7"]) == (1, 1)


def test_what_comes_after_the_day_is_not_known_yet(lake: SmallLake) -> None:
    lake.happened("app_opened", *_opened("ann", (1, -1)), *_opened("future", (-1,)))
    (row,) = lake.run("retention")
    assert (row["cohort_day"], row["returned_day_1"]) == (_before(1), 0)
