"""Events by type and day, which must agree with the lake to the event."""

from __future__ import annotations

from datetime import timedelta

from contracts.lake_tables.events import EVENT_TABLES
from tests.reports.small_lake import DAY, SmallLake, at


def test_every_type_has_a_row_also_on_a_day_without_events(lake: SmallLake) -> None:
    rows = lake.run("flash_events")
    assert {row["event_type"] for row in rows} == set(EVENT_TABLES)
    assert {(row["events"], row["events_late"]) for row in rows} == {(0, 0)}


def test_a_day_holds_its_first_moment_and_not_the_next_day_s(lake: SmallLake) -> None:
    before, after = DAY - timedelta(days=1), DAY + timedelta(days=1)
    lake.happened(
        "like",
        {"occurred_at": at("23:59:59.999", day=before)},
        {"occurred_at": at("00:00")},
        {"occurred_at": at("23:59:59.999")},
        {"occurred_at": at("00:00", day=after)},
        {"occurred_at": at("12:00", day=DAY + timedelta(days=400))},
    )
    assert _of(lake.run("flash_events"), "like")["events"] == 2


def test_an_event_is_late_when_it_arrived_more_than_an_hour_after_it_occurred(lake: SmallLake) -> None:
    lake.happened(
        "follow",
        {"occurred_at": at("08:00"), "arrived_at": at("09:00")},
        {"occurred_at": at("08:00"), "arrived_at": at("09:00:00.001")},
        {"occurred_at": at("08:00"), "arrived_at": at("09:00", day=DAY + timedelta(days=2))},
        {"occurred_at": at("08:00"), "arrived_at": None},
    )
    row = _of(lake.run("flash_events"), "follow")
    assert (row["events"], row["events_late"]) == (4, 2)


def test_a_day_is_written_again_whole(lake: SmallLake) -> None:
    lake.happened("like", {"occurred_at": at("08:00")})
    lake.run("flash_events")
    lake.run("flash_events", day=DAY - timedelta(days=1))
    lake.happened("like", {"occurred_at": at("09:00")})
    rows = lake.run("flash_events")
    assert len(rows) == len(EVENT_TABLES)
    assert _of(rows, "like")["events"] == 2
    assert len(lake.rows("flash_events", day=DAY - timedelta(days=1))) == len(EVENT_TABLES)


def _of(rows: list[dict[str, object]], event_type: str) -> dict[str, object]:
    (row,) = [row for row in rows if row["event_type"] == event_type]
    return row
