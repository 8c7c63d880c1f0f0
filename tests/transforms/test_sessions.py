"""Sessions: worked-out answers, a second implementation, and stretches that late intervals make again."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("duckdb", reason="duckdb is in requirements-dev.txt alone; make setup installs it")
pytest.importorskip("pyspark", reason="pyspark is in requirements-dev.txt alone; make setup installs it")

import duckdb
from pyspark.sql import DataFrame, SparkSession

from contracts.lake_tables.events import EVENT_TABLES
from contracts.lake_tables.listening import SESSIONS
from rehearsal.scenario import second_opinion
from tests.transforms.frames import Row, duckdb_rows, frame, known, rows, views
from tests.transforms.generated import events
from transforms import listening

pytestmark = pytest.mark.xdist_group("spark")
PLAYBACK = EVENT_TABLES["playback_metric"]


def _without_key(found: list[Row]) -> list[Row]:
    return sorted(
        ({name: value for name, value in row.items() if name != "session_key"} for row in found),
        key=lambda row: (row["listener_key"], row["show_id"], row["started_at"]),
    )


def test_sessions_are_those_worked_out_by_hand(spark: SparkSession) -> None:
    case = known("sessions")

    found = listening.sessions(listening.heard(frame(spark, PLAYBACK, case["playback_metric"])))

    assert _without_key(rows(found)) == case["sessions"]


def test_the_second_implementation_finds_the_sessions_worked_out_by_hand() -> None:
    case = known("sessions")
    connection = duckdb.connect()
    views(connection, case)
    second_opinion.prepare(connection)

    assert _without_key(duckdb_rows(connection, "FROM opinion.sessions")) == case["sessions"]


def test_sessions_of_generated_events_are_those_of_the_second_implementation(spark: SparkSession) -> None:
    generated = events(seed=1)
    connection = duckdb.connect()
    views(connection, generated)
    second_opinion.prepare(connection)

    found = rows(listening.sessions(listening.heard(frame(spark, PLAYBACK, generated["playback_metric"]))))

    assert len(found) > 50
    assert found == duckdb_rows(connection, "FROM opinion.sessions")


def test_an_interval_reported_longer_than_possible_counts_as_the_longest_possible(spark: SparkSession) -> None:
    lost_count = {
        "event_id": "x",
        "user_key": "anna",
        "show_id": "show-1",
        "occurred_at": "2026-11-18 13:00:00.000",
        "playback_listened_ms": 10**12,
    }

    (session,) = rows(listening.sessions(listening.heard(frame(spark, PLAYBACK, [lost_count]))))

    assert session["started_at"] == "2026-11-18 01:00:00"
    assert session["listened_ms"] == 12 * 3_600_000


def test_sessions_made_again_window_by_window_are_those_made_at_once(spark: SparkSession, tmp_path: Path) -> None:
    """Intervals arrive in any order: late ones extend sessions and join them."""
    every = [
        row | {"arrival": number % 3} for number, row in enumerate(events(seed=2, playbacks=120)["playback_metric"])
    ]
    table = frame(spark, SESSIONS, [])
    for arrival in range(3):
        held = listening.heard(frame(spark, PLAYBACK, [row for row in every if row["arrival"] <= arrival]))
        new = listening.heard(frame(spark, PLAYBACK, [row for row in every if row["arrival"] == arrival]))

        table = _kept(_made_again(table, held, new), tmp_path / str(arrival))

    at_once = listening.sessions(listening.heard(frame(spark, PLAYBACK, every)))
    assert rows(table) == rows(at_once)


def test_a_window_that_is_made_again_changes_nothing(spark: SparkSession, tmp_path: Path) -> None:
    intervals = listening.heard(frame(spark, PLAYBACK, events(seed=3, playbacks=60)["playback_metric"]))
    table = _kept(listening.sessions(intervals), tmp_path / "table")

    assert rows(_made_again(table, intervals, intervals.where("event_id < 'p3'"))) == rows(table)


def _made_again(table: DataFrame, held: DataFrame, new: DataFrame) -> DataFrame:
    touched = listening.touched_listening(new)
    existing = listening.touched_sessions(table, touched)
    made = listening.sessions(listening.within(held, listening.widened(touched, existing)))
    return table.join(existing, "session_key", how="left_anti").unionByName(made)


def _kept(frame: DataFrame, folder: Path) -> DataFrame:
    frame.coalesce(1).write.parquet(str(folder))
    return frame.sparkSession.read.parquet(str(folder))
