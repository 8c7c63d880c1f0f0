"""Daily statistics of shows: worked-out answers and a second implementation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

pytest.importorskip("duckdb", reason="duckdb is in requirements-dev.txt alone; make setup installs it")
pytest.importorskip("pyspark", reason="pyspark is in requirements-dev.txt alone; make setup installs it")

import duckdb
from pyspark.sql import DataFrame, SparkSession

from contracts.lake_tables.events import EVENT_TABLES
from rehearsal.scenario import second_opinion
from tests.transforms.frames import Row, duckdb_rows, frame, known, rows, views
from tests.transforms.generated import events
from transforms import listening, statistics

pytestmark = pytest.mark.xdist_group("spark")


def _statistics(spark: SparkSession, given: Mapping[str, Any]) -> DataFrame:
    frames = {
        name: frame(spark, EVENT_TABLES[name], given[name])
        for name in ("like", "call_in", "chat_message", "follow", "poll_vote")
    }
    heard = listening.heard(frame(spark, EVENT_TABLES["playback_metric"], given["playback_metric"]))
    return statistics.show_statistics(statistics.Activity(heard=heard, sessions=listening.sessions(heard), **frames))


def _by_day(found: list[Row]) -> list[Row]:
    return sorted(found, key=lambda row: (row["day"], row["show_id"]))


def test_statistics_are_those_worked_out_by_hand(spark: SparkSession) -> None:
    case = known("statistics")

    assert _by_day(rows(_statistics(spark, case))) == case["statistics"]


def test_the_second_implementation_finds_the_statistics_worked_out_by_hand() -> None:
    case = known("statistics")
    connection = duckdb.connect()
    views(connection, case)
    second_opinion.prepare(connection)

    assert _by_day(duckdb_rows(connection, "FROM opinion.show_statistics_daily")) == case["statistics"]


def test_statistics_of_generated_events_are_those_of_the_second_implementation(spark: SparkSession) -> None:
    generated = events(seed=4)
    connection = duckdb.connect()
    views(connection, generated)
    second_opinion.prepare(connection)

    found = rows(_statistics(spark, generated))

    assert {row["day"] for row in found} >= {"2026-11-17", "2026-11-18"}
    assert max(row["peak_concurrency"] for row in found) > 2
    assert found == duckdb_rows(connection, "FROM opinion.show_statistics_daily")


def test_an_interval_that_ends_at_midnight_touches_the_next_day_whose_session_it_may_precede(
    spark: SparkSession,
) -> None:
    ends_at_midnight = {
        "event_id": "x",
        "user_key": "anna",
        "show_id": "show-1",
        "occurred_at": "2026-11-18 00:00:00.000",
        "playback_listened_ms": 60_000,
    }

    heard = listening.heard(frame(spark, EVENT_TABLES["playback_metric"], [ends_at_midnight]))

    assert [row["day"] for row in rows(listening.touched_days(heard))] == ["2026-11-17", "2026-11-18"]
    assert [row["day"] for row in rows(statistics.heard_by_day(heard))] == ["2026-11-17"]
