"""Trending shows: worked-out answers, a second implementation, and what one listener cannot do."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

pytest.importorskip("duckdb", reason="duckdb is in requirements-dev.txt alone; make setup installs it")
pytest.importorskip("pyspark", reason="pyspark is in requirements-dev.txt alone; make setup installs it")

import duckdb
from pyspark.sql import SparkSession

from contracts.lake_tables.events import EVENT_TABLES
from rehearsal.scenario import second_opinion
from tests.transforms.frames import Row, duckdb_rows, frame, known, rows, views
from tests.transforms.generated import START, events
from transforms import listening, trending

pytestmark = pytest.mark.xdist_group("spark")
NOON = datetime(2026, 11, 18, 12, tzinfo=UTC)


def _trending(spark: SparkSession, given: Mapping[str, Any], as_of: list[datetime]) -> list[Row]:
    frames = {
        name: frame(spark, EVENT_TABLES[name], given.get(name, ()))
        for name in ("like", "call_in", "chat_message", "follow")
    }
    heard = listening.heard(frame(spark, EVENT_TABLES["playback_metric"], given.get("playback_metric", ())))
    hourly = trending.hourly_activity(trending.Activity(heard=heard, **frames))
    return _in_order(rows(trending.trending_shows(hourly, as_of=as_of)))


def _second_opinion(given: Mapping[str, Any], as_of: list[datetime]) -> list[Row]:
    connection = duckdb.connect()
    views(connection, given)
    second_opinion.prepare(connection)
    found = duckdb_rows(
        connection,
        "FROM opinion.trending_shows($as_of::TIMESTAMP[])",
        {"as_of": second_opinion.as_of_parameter(as_of)},
    )
    return _in_order(found)


def _in_order(found: list[Row]) -> list[Row]:
    return sorted(found, key=lambda row: (row["as_of"], row["window_hours"], row["rank"]))


def _answer(case: Mapping[str, Any]) -> list[Row]:
    return [{"as_of": case["as_of"], **row, "score": pytest.approx(row["score"], abs=2e-6)} for row in case["trending"]]


def test_ranks_are_those_worked_out_by_hand(spark: SparkSession) -> None:
    case = known("trending")

    assert _trending(spark, case, [NOON]) == _answer(case)


def test_the_second_implementation_finds_the_ranks_worked_out_by_hand() -> None:
    case = known("trending")

    assert _second_opinion(case, [NOON]) == _answer(case)


def test_ranks_of_generated_events_are_those_of_the_second_implementation(spark: SparkSession) -> None:
    generated = events(seed=5)
    as_of = [START.replace(tzinfo=UTC) + timedelta(hours=hours) for hours in (3, 7, 11)]

    found = _trending(spark, generated, as_of)

    assert len({(row["as_of"], row["window_hours"]) for row in found}) == 6
    opinion = _second_opinion(generated, as_of)
    assert found == [row | {"score": pytest.approx(row["score"], abs=1e-3)} for row in opinion]


def test_a_hundred_listeners_of_a_minute_beat_one_who_never_rests(spark: SparkSession) -> None:
    def played(event: int, listener: str, show: str, minutes: int) -> Row:
        return {
            "event_id": f"e{event}",
            "device_key": listener,
            "show_id": show,
            "occurred_at": f"2026-11-18 {11 - event % 6:02}:30:00.000",
            "playback_listened_ms": minutes * 60_000,
        }

    bot = [played(n, "bot", "show-b", 600) for n in range(40)]
    crowd = [played(1000 + 6 * n, f"d{n}", "show-a", 1) for n in range(100)]

    found = _trending(spark, {"playback_metric": [*bot, *crowd]}, [NOON])

    assert [row["show_id"] for row in found if row["window_hours"] == 168] == ["show-a", "show-b"]
