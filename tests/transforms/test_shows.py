"""Shows, history and creators: worked-out answers and a second implementation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

pytest.importorskip("duckdb", reason="duckdb is in requirements-dev.txt alone; make setup installs it")
pytest.importorskip("pyspark", reason="pyspark is in requirements-dev.txt alone; make setup installs it")

import duckdb
from pyspark.sql import SparkSession

from contracts.lake_tables.events import EVENT_DETAILS, EVENT_TABLES
from contracts.lake_tables.shows import SHOW_HISTORY
from rehearsal.scenario import second_opinion
from tests.transforms.frames import Row, duckdb_rows, frame, known, rows, views
from tests.transforms.generated import events
from transforms import shows

pytestmark = pytest.mark.xdist_group("spark")
ENTRIES = EVENT_TABLES["show_catalog_entry"]


def _of(found: Sequence[Row], wanted: Sequence[Mapping[str, Any]]) -> list[Row]:
    """The columns of which the worked-out answer speaks."""
    picked = [{name: row[name] for name in wanted[0]} for row in found]
    return sorted(picked, key=lambda row: (row.get("show_id", row.get("creator_key")), row.get("valid_from")))


def test_the_history_is_that_worked_out_by_hand(spark: SparkSession) -> None:
    case = known("show_history")

    history = shows.show_history(shows.dated(frame(spark, ENTRIES, case["show_catalog_entry"])))

    assert _of(rows(history), case["history"]) == case["history"]


def test_the_second_implementation_finds_the_history_worked_out_by_hand() -> None:
    case = known("show_history")
    connection = duckdb.connect()
    views(connection, case)
    second_opinion.prepare(connection)

    assert _of(duckdb_rows(connection, "FROM opinion.show_history"), case["history"]) == case["history"]


def test_current_shows_and_creators_are_those_worked_out_by_hand(spark: SparkSession) -> None:
    case = known("show_history")
    history = shows.show_history(shows.dated(frame(spark, ENTRIES, case["show_catalog_entry"]))).persist()

    assert _of(rows(shows.shows(history)), case["shows"]) == case["shows"]
    assert _of(rows(shows.creators(history)), case["creators"]) == case["creators"]


def test_the_history_of_generated_entries_is_that_of_the_second_implementation(spark: SparkSession) -> None:
    generated = events(seed=6)
    connection = duckdb.connect()
    views(connection, generated)
    second_opinion.prepare(connection)

    found = rows(shows.show_history(shows.dated(frame(spark, ENTRIES, generated["show_catalog_entry"]))))

    assert len(found) > 50
    assert found == duckdb_rows(connection, "FROM opinion.show_history")


def test_a_history_outlives_the_entries_that_it_was_made_from(spark: SparkSession) -> None:
    entries = known("show_history")["show_catalog_entry"]
    whole = rows(shows.show_history(shows.dated(frame(spark, ENTRIES, entries))))
    before = frame(spark, SHOW_HISTORY, whole)
    kept = shows.dated(frame(spark, ENTRIES, [row for row in entries if row["occurred_at"] > "2026-11-18 11:30"]))

    again = rows(shows.show_history(shows.with_older_versions(kept, before)))

    assert again == [row for row in whole if row["show_id"] == "show-1"]


def test_a_version_announced_again_on_another_day_makes_one_profile(spark: SparkSession) -> None:
    moments = ("2026-11-18 09:00:00.000", "2026-11-19 09:00:00.000")
    entry = {"event_id": "e1", "show_id": "show-1", "show_version": 1, "show_creator_key": "key-1"}
    entries = shows.dated(frame(spark, ENTRIES, [entry | {"occurred_at": at, "arrived_at": at} for at in moments]))
    detail = {"event_id": "e1", "event_type": "show_catalog_entry", "details": {"show_creator_id": "u-1"}}
    details = frame(spark, EVENT_DETAILS, [detail | {"occurred_at": at} for at in moments])

    profiles = rows(shows.creator_profiles(shows.newest_by_creator(entries), details))

    assert [(row["creator_key"], row["changed_at"]) for row in profiles] == [("key-1", "2026-11-19 09:00:00")]


def test_a_profile_is_what_the_newest_entry_told_and_none_where_the_person_was_erased(spark: SparkSession) -> None:
    entries = shows.dated(frame(spark, ENTRIES, known("show_history")["show_catalog_entry"]))
    details = frame(
        spark,
        EVENT_DETAILS,
        [
            {
                "event_id": event,
                "event_type": kind,
                "occurred_at": f"2026-11-18 {at}.000",
                "details": {"show_creator_id": f"u-{event}", "show_creator_name": f"Name {event}"},
            }
            for event, kind, at in (
                ("e2", "show_catalog_entry", "11:00:01"),
                ("e4", "show_catalog_entry", "13:00:01"),
                ("g2", "like", "09:30:00"),
            )
        ],
    )

    profiles = rows(shows.creator_profiles(shows.newest_by_creator(entries), details))

    assert profiles == [
        {
            "creator_key": "key-1",
            "creator_id": "u-e4",
            "creator_name": "Name e4",
            "changed_at": "2026-11-18 13:00:00",
        }
    ]
