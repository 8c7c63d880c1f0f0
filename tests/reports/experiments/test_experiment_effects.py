"""Who counts in an experiment, in which variant, and for what; numbers worked out by hand."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.reports.small_lake import DAY, Row, SmallLake, at

TOMORROW = DAY + timedelta(days=1)


def met(unit: str | None, variant: str | None, occurred_at: Any = None, **more: Any) -> Row:
    return {
        "user_key": unit,
        "session_id": f"s-{unit}",
        "experiment_id": "exp",
        "experiment_variant": variant,
        "experiment_unit": "user",
        "occurred_at": occurred_at or at("08:00"),
        **more,
    }


def heard(session: str | None, occurred_at: Any, **more: Any) -> Row:
    return {
        "session_id": session,
        "occurred_at": occurred_at,
        "show_id": "show-1",
        "playback_listened_ms": 60_000,
        **more,
    }


def counts(lake: SmallLake, outcome: str = "listen") -> dict[str, tuple[int, int]]:
    """Units and conversions by variant."""
    return {
        row["variant"]: (row["units"], row["conversions"])
        for row in lake.run("experiment_effects")
        if row["outcome"] == outcome
    }


def test_an_empty_day_has_no_row(lake: SmallLake) -> None:
    assert lake.run("experiment_effects") == []


def test_a_unit_counts_once_with_what_its_first_session_did_after_the_exposure(lake: SmallLake) -> None:
    lake.happened(
        "experiment_exposure",
        met("ann", "control"),
        met("ann", "control", at("08:01")),  # again in the same session
        met("ann", "control", at("20:00"), session_id="evening"),
        met("ben", "control"),
        met("cleo", "treatment"),
        met("dan", "treatment"),
    )
    lake.happened(
        "playback_metric",
        heard("s-ann", at("07:59")),  # before the exposure
        heard("evening", at("20:10")),  # in a later session
        heard("s-ben", at("08:00")),
        heard("s-ben", at("08:10")),  # a unit converts once
        heard("s-cleo", at("08:10"), playback_listened_ms=0),  # heard nothing
        heard("s-dan", at("08:10"), user_key="somebody else"),  # the session tells, also before sign-in
        heard(None, at("08:10")),
    )
    assert counts(lake) == {"control": (2, 1), "treatment": (2, 1)}
    assert counts(lake, "follow") == {"control": (2, 0), "treatment": (2, 0)}


def test_only_following_is_a_follow(lake: SmallLake) -> None:
    lake.happened("experiment_exposure", met("ann", "control"), met("ben", "control"))
    lake.happened(
        "follow",
        {"session_id": "s-ann", "occurred_at": at("08:10"), "follow_action": "unfollow"},
        {"session_id": "s-ben", "occurred_at": at("08:10"), "follow_action": "follow"},
    )
    assert counts(lake, "follow") == {"control": (2, 1)}


def test_a_unit_in_two_variants_is_counted_apart_and_left_out(lake: SmallLake) -> None:
    lake.happened(
        "experiment_exposure",
        met("ann", "control"),
        met("ann", "treatment", at("20:00"), session_id="evening"),
        met("ben", "control"),
        met("ben", "other", experiment_id="another"),  # another experiment's variants are no second one
        met("cleo", "treatment"),
    )
    lake.happened("playback_metric", heard("s-ann", at("08:10")))
    rows = lake.run("experiment_effects")
    found = {(row["experiment_id"], row["variant"]): row for row in rows if row["outcome"] == "listen"}
    assert {key: (row["units"], row["units_in_two_variants"]) for key, row in found.items()} == {
        ("exp", "control"): (1, 1),
        ("exp", "treatment"): (1, 1),
        ("another", "other"): (1, 0),
    }
    assert found["exp", "control"]["conversions"] == 0


def test_a_device_is_the_unit_where_the_experiment_drew_devices(lake: SmallLake) -> None:
    lake.happened(
        "experiment_exposure",
        met("ann", "control", device_key="phone", experiment_unit="device", session_id="1"),
        met("ann", "treatment", device_key="tablet", experiment_unit="device", session_id="2"),
        met(None, "control", device_key="radio", experiment_unit="user", session_id="3"),  # not signed in
        met("ben", "control", experiment_unit="device", session_id="4"),  # no device is known
    )
    assert counts(lake) == {"control": (2, 0), "treatment": (1, 0)}


def test_what_names_nobody_no_session_or_no_variant_is_left_out(lake: SmallLake) -> None:
    lake.happened(
        "experiment_exposure",
        met(None, "control"),
        met("ann", "control", session_id=None),
        met("ben", None),
        met("cleo", "control"),
    )
    assert counts(lake) == {"control": (1, 0)}


def test_the_last_28_days_count_but_for_the_last_hour_whose_sessions_may_go_on(lake: SmallLake) -> None:
    first = DAY - timedelta(days=27)
    lake.happened(
        "experiment_exposure",
        met("first", "control", at("00:00", day=first)),
        met("too-old", "control", at("23:59:59.999", day=first - timedelta(days=1))),
        met("last", "control", at("22:59:59.999")),
        met("may-go-on", "control", at("23:00")),
        met("future", "control", at("00:00", day=TOMORROW)),
    )
    lake.happened("playback_metric", heard("s-last", at("23:59")), heard("s-first", at("00:00", day=TOMORROW)))
    assert counts(lake) == {"control": (2, 1)}
