"""From open to listen to follow, in that order and on one day."""

from __future__ import annotations

from datetime import timedelta

from tests.reports.small_lake import DAY, SmallLake, at

HEARD = {"show_id": "show-1", "playback_listened_ms": 60_000}


def test_an_empty_day_has_a_row_of_zeros_and_no_shares(lake: SmallLake) -> None:
    (row,) = lake.run("funnel_daily")
    assert [row[name] for name in ("opened", "listened", "followed")] == [0, 0, 0]
    assert [row[name] for name in ("listened_share", "followed_share", "open_to_follow_share")] == [None, None, None]


def test_each_step_is_taken_after_the_one_before(lake: SmallLake) -> None:
    lake.happened("app_opened", *({"user_key": who, "occurred_at": at("08:00")} for who in "abcdef"))
    lake.happened("app_opened", {"user_key": "a", "occurred_at": at("20:00")}, {"occurred_at": at("08:00")})
    lake.happened(
        "playback_metric",
        {**HEARD, "user_key": "a", "occurred_at": at("08:05")},  # repeated, and followed after the first
        {**HEARD, "user_key": "a", "occurred_at": at("09:05")},
        {**HEARD, "user_key": "b", "occurred_at": at("08:05")},
        {**HEARD, "user_key": "c", "occurred_at": at("08:05")},
        {**HEARD, "user_key": "d", "occurred_at": at("07:59")},  # before the app was opened
        {**HEARD, "user_key": "e", "occurred_at": at("08:05"), "playback_listened_ms": 0},  # heard nothing
        {**HEARD, "user_key": "g", "occurred_at": at("08:05")},  # did not open
    )
    follow = {"follow_target_kind": "creator", "follow_action": "follow"}
    lake.happened(
        "follow",
        {**follow, "user_key": "a", "occurred_at": at("08:30")},
        {**follow, "user_key": "a", "occurred_at": at("08:40")},
        {**follow, "user_key": "b", "occurred_at": at("08:04")},  # before listening
        {**follow, "user_key": "c", "occurred_at": at("08:30"), "follow_action": "unfollow"},
        {**follow, "user_key": "f", "occurred_at": at("08:30")},  # without listening
        {**follow, "occurred_at": at("08:30")},
    )
    (row,) = lake.run("funnel_daily")
    assert (row["opened"], row["listened"], row["followed"]) == (6, 3, 1)
    assert (row["listened_share"], row["followed_share"], row["open_to_follow_share"]) == (3 / 6, 1 / 3, 1 / 6)


def test_only_the_day_counts(lake: SmallLake) -> None:
    tomorrow = DAY + timedelta(days=1)
    lake.happened(
        "app_opened",
        {"user_key": "a", "occurred_at": at("23:50")},
        {"user_key": "b", "occurred_at": at("00:00", day=tomorrow)},
    )
    lake.happened("playback_metric", {**HEARD, "user_key": "a", "occurred_at": at("00:05", day=tomorrow)})
    (row,) = lake.run("funnel_daily")
    assert (row["opened"], row["listened"], row["listened_share"], row["followed_share"]) == (1, 0, 0.0, None)
