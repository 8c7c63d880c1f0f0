"""Freshness, volume, late and rejected shares, schema changes, on rows whose answers are worked out here."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.lake_tables.events import EVENT_TABLES
from tests.reports.small_lake import SmallLake, at, days


def _of(lake: SmallLake, table: str) -> dict[str, Any]:
    (row,) = [row for row in lake.run("data_health") if row["table_name"] == table]
    return row


def test_every_table_has_a_row_also_without_data(lake: SmallLake) -> None:
    rows = lake.run("data_health")
    others = {"sessions", "show_history", "show_statistics_daily", "trending_shows", "job_runs"}
    assert {row["table_name"] for row in rows} == {*EVENT_TABLES, *others}
    assert {row["row_count"] for row in rows} == {0}
    unknown = ("row_count_yesterday", "hours_since_newest", "late_share", "rejected_share", "schema_changed")
    assert {row[name] for row in rows for name in unknown} == {None}
    promised = {row["table_name"]: row["freshness_hours"] for row in rows}
    assert (promised["like"], promised["sessions"]) == (2, 26)


def test_volume_is_compared_with_days_before(lake: SmallLake) -> None:
    for back, events in ((0, 3), (1, 2), (7, 5), (10, 3), (-1, 50)):
        lake.happened("like", *[{"occurred_at": at("08:00", day=days(-back))}] * events)
    row = _of(lake, "like")
    assert (row["row_count"], row["row_count_yesterday"], row["row_count_week_before"]) == (3, 2, 5)
    assert (row["days_compared"], row["row_count_mean_28_days"]) == (10, (2 + 5 + 3) / 10)
    assert row["hours_since_newest"] == 16, "from 08:00 to midnight; what is dated later does not count"


def test_late_rows_are_those_over_an_hour_behind(lake: SmallLake) -> None:
    lake.happened(
        "like",
        {"occurred_at": at("08:00"), "arrived_at": at("09:00")},
        {"occurred_at": at("08:00"), "arrived_at": at("09:00:00.001")},
        {"occurred_at": at("08:00"), "arrived_at": None},
        {"occurred_at": at("08:00"), "arrived_at": at("08:00", day=days(3))},
        {"occurred_at": at("08:00", day=days(-1)), "arrived_at": at("08:00", day=days(3))},
    )
    row = _of(lake, "like")
    assert (row["rows_late"], row["late_share"]) == (2, 2 / 4)


def test_rejected_rows_count_on_the_day_on_which_they_were_refused(lake: SmallLake) -> None:
    lake.happened("like", *[{"occurred_at": at("08:00")}] * 3)
    lake.fill(
        "personal.rejected_rows",
        {"rejected_id": "1", "source": "like", "rejected_at": at("09:00")},
        {"rejected_id": "2", "source": "like", "rejected_at": at("09:00", day=days(1))},
        {"rejected_id": "3", "source": "follow", "rejected_at": at("09:00")},
    )
    row = _of(lake, "like")
    assert (row["rows_rejected"], row["rejected_share"]) == (1, 1 / 4)
    only_refused = _of(lake, "follow")
    assert (only_refused["row_count"], only_refused["rejected_share"]) == (0, 1)


@pytest.mark.parametrize(("before", "now", "changed"), [(1, 2, True), (2, 2, False), (None, 2, None), (1, None, None)])
def test_a_schema_changed_when_events_name_another_version(
    lake: SmallLake, before: int | None, now: int | None, changed: bool | None
) -> None:
    for back, version in ((5, before), (0, now)):
        if version:
            lake.happened("like", {"occurred_at": at("08:00", day=days(-back)), "schema_version": version})
    row = _of(lake, "like")
    assert (row["schema_version_before"], row["schema_version"], row["schema_changed"]) == (before, now, changed)


def test_tables_made_by_day_are_counted_by_their_own_moment(lake: SmallLake) -> None:
    lake.statistics(days(0), "a")
    lake.statistics(days(0), "b")
    lake.statistics(days(-1), "a")
    lake.session("anna", "a", at("10:00"), at("21:00"))
    statistics, sessions = _of(lake, "show_statistics_daily"), _of(lake, "sessions")
    assert (statistics["row_count"], statistics["row_count_yesterday"], statistics["hours_since_newest"]) == (2, 1, 24)
    assert (sessions["row_count"], sessions["hours_since_newest"], sessions["rows_late"]) == (1, 3, None)


def test_runs_of_a_job_add_up(lake: SmallLake) -> None:
    for number, (status, rows, rejected) in enumerate(
        (("succeeded", 90, 5), ("failed", 10, 0), ("refused", None, None))
    ):
        lake.fill(
            "transformed.job_runs",
            {
                "run_id": str(number), "job": "events", "status": status, "started_at": at(f"0{number}:00"),
                "rows_in": rows, "rows_out": rows, "rows_rejected": rejected, "duration_ms": 1000 * number,
            },
        )  # fmt: skip
    lake.fill("transformed.job_runs", {"run_id": "x", "job": "events", "started_at": at("00:00", day=days(1))})
    lake.fill("transformed.job_runs", {"run_id": "y", "job": "sessions", "started_at": at("01:00")})
    events, sessions = lake.run("health_jobs")
    assert (events["runs"], events["runs_succeeded"], events["runs_failed"], events["runs_refused"]) == (3, 1, 1, 1)
    assert (events["rows_in"], events["rows_rejected"], events["rejected_share"]) == (100, 5, 5 / 100)
    assert events["longest_ms"] == 2000
    assert (sessions["runs"], sessions["runs_succeeded"], sessions["rejected_share"]) == (1, 0, None)


def test_refused_records_are_told_by_type_and_reason_of_their_arrival(lake: SmallLake) -> None:
    for arrival, event_type, reason in (
        ("2026-11-18-00", "like", "wrong_type"), ("2026-11-18-23", "like", "wrong_type"),
        ("2026-11-18-10", "unknown", "not_json"), ("2026-11-18-10", "like", None),
        ("2026-11-17-23", "like", "wrong_type"), ("2026-11-19-00", "like", "wrong_type"),
    ):  # fmt: skip
        lake.fill("raw.quarantine", {"arrival": arrival, "type": event_type, "reason_code": reason})
    told = [(row["event_type"], row["reason_code"], row["records"]) for row in lake.run("health_quarantine")]
    assert told == [("like", "unknown", 1), ("like", "wrong_type", 2), ("unknown", "not_json", 1)]
