"""Sessions with a promotion against sessions without, one for each listener; numbers worked out by hand."""

from __future__ import annotations

from typing import Any

from tests.reports.small_lake import Row, SmallLake, at


def opened(listener: str | None, occurred_at: Any, session: str | None) -> Row:
    return {"user_key": listener, "session_id": session, "occurred_at": occurred_at}


def shown(session: str | None, occurred_at: Any, **more: Any) -> Row:
    return {"promotion_id": "promo", "show_id": "show-p", "session_id": session, "occurred_at": occurred_at, **more}


def heard(session: str, occurred_at: Any, show: str = "show-p") -> Row:
    return {"session_id": session, "occurred_at": occurred_at, "show_id": show, "playback_listened_ms": 60_000}


def counts(lake: SmallLake) -> dict[str, tuple[int, int]]:
    """Units and conversions by exposure."""
    return {row["exposure"]: (row["units"], row["conversions"]) for row in lake.run("promotion_effects")}


def test_an_empty_day_has_no_row(lake: SmallLake) -> None:
    assert lake.run("promotion_effects") == []


def test_a_listeners_first_session_while_the_promotion_ran_counts(lake: SmallLake) -> None:
    lake.happened(
        "app_opened",
        opened("before", at("07:00"), "1"),  # before anybody was shown it
        opened("ann", at("08:00"), "2"),
        opened("ben", at("08:30"), "3"),
        opened("ben", at("09:30"), "4"),  # exposed, but not ben's first session
        opened("cleo", at("09:00"), "5"),
        opened("dan", at("09:00"), "6"),
        opened("dan", at("09:00"), "6"),
        opened("after", at("11:00"), "7"),
        opened(None, at("09:00"), "8"),
        opened("eve", at("09:00"), None),
    )
    lake.happened(
        "promotion_exposure",
        shown("2", at("08:00")),  # runs from here
        shown("2", at("08:02")),
        shown("4", at("09:31")),
        shown("5", at("09:01")),
        shown("9", at("10:00")),  # until here
        shown(None, at("06:00")),
    )
    lake.happened(
        "playback_metric",
        heard("2", at("08:10")),
        heard("2", at("08:11")),
        heard("3", at("08:40")),
        heard("4", at("09:40")),
        heard("5", at("09:10"), show="another"),
    )
    # Exposed: ann, who plays it, and cleo, who does not. Not exposed: ben, who plays it all the same, and dan.
    assert counts(lake) == {"exposed": (2, 1), "not exposed": (2, 1)}


def test_no_split_was_drawn_so_none_is_checked(lake: SmallLake) -> None:
    lake.connection.execute(
        """
        insert into transformed.app_opened by name
        select 'e-' || n as event_id, 'u-' || n as user_key, 's-' || n as session_id,
            timestamp '2026-11-18 08:00:00' as occurred_at
        from range(1000) as numbers (n)
        """
    )
    lake.connection.execute(
        """
        insert into transformed.promotion_exposure by name
        select 'p-' || n as event_id, 's-' || n as session_id, 'promo' as promotion_id, 'show-p' as show_id,
            timestamp '2026-11-18 08:00:00' as occurred_at
        from range(200) as numbers (n)
        """
    )
    lake.connection.execute(
        """
        insert into transformed.playback_metric by name
        select 'h-' || n as event_id, 's-' || n as session_id, 'show-p' as show_id, 1000 as playback_listened_ms,
            timestamp '2026-11-18 08:05:00' as occurred_at
        from range(160, 240) as numbers (n)
        """
    )
    # Exposed 40 of 200 (160 to 199), not exposed 40 of 800.
    exposed, control = lake.run("promotion_effects")
    assert (exposed["converted_share"], control["converted_share"], exposed["difference"]) == (
        0.2,
        0.05,
        0.15000000000000002,
    )
    assert (exposed["verdict"], control["verdict"]) == ("higher", "control")
    assert exposed["sample_ratio_chi_square"] is None


def test_a_promotion_without_a_show_has_nothing_to_be_counted(lake: SmallLake) -> None:
    lake.happened("app_opened", opened("ann", at("08:00"), "1"))
    lake.happened("promotion_exposure", shown("1", at("08:00"), show_id=None))
    assert lake.run("promotion_effects") == []
