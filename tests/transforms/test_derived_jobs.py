"""The derived jobs over real tables, window by window: late events, repeated runs, and the second implementation."""

from __future__ import annotations

import importlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

pytest.importorskip("duckdb", reason="duckdb is in requirements-dev.txt alone; make setup installs it")
pytest.importorskip("pyspark", reason="pyspark is in requirements-dev.txt alone; make setup installs it")

import duckdb

from contracts.lake import LakeTable
from contracts.lake_tables.events import EVENT_DETAILS, EVENT_TABLES
from rehearsal.scenario import second_opinion
from spark_jobs.run_record import RunRecord
from tests.transforms.desk import Desk
from tests.transforms.frames import Row, duckdb_rows, frame, rows, views
from tests.transforms.generated import events

pytestmark = pytest.mark.xdist_group("spark")

FIRST, SECOND = ("2026-11-18T00", "2026-11-18T02"), ("2026-11-18T02", "2026-11-18T05")
JOBS = ("shows", "sessions", "show_statistics", "trending_shows")


@pytest.mark.campaign
def test_tables_made_window_by_window_are_those_of_the_second_implementation_over_all_events(desk: Desk) -> None:
    generated = {
        name: [row for row in every if "2026-11-18 00" <= row["arrived_at"] < "2026-11-18 05"]
        for name, every in events(seed=7, playbacks=300).items()
    }
    for window, jobs in ((FIRST, ("shows", "sessions", "show_statistics")), (SECOND, JOBS)):
        _arrive(desk, generated, window)
        for job in jobs:
            _run(desk, job, window)
    connection = duckdb.connect()
    views(connection, generated)
    second_opinion.prepare(connection)

    for name in ("sessions", "show_history", "show_statistics_daily"):
        assert rows(desk.table(f"transformed.{name}")) == duckdb_rows(connection, f"FROM opinion.{name}"), name
    as_of = [datetime(2026, 11, 18, 2, tzinfo=UTC) + timedelta(hours=hour) for hour in range(1, 4)]
    ranks = rows(desk.table("transformed.trending_shows").where("as_of > TIMESTAMP '2026-11-18 02:00:00'"))
    opinion = duckdb_rows(
        connection,
        "FROM opinion.trending_shows($as_of::TIMESTAMP[])",
        {"as_of": second_opinion.as_of_parameter(as_of)},
    )
    assert len(ranks) > 20
    assert _by_rank(ranks) == [row | {"score": pytest.approx(row["score"], abs=1e-3)} for row in _by_rank(opinion)]
    profiles = rows(desk.table("personal.creator_profiles"), order="creator_key")
    assert [(row["creator_key"], row["creator_id"]) for row in profiles] == [
        (f"creator-{number}", f"u-{number}") for number in range(4)
    ]

    before = desk.snapshots("transformed.sessions")
    _run(desk, "sessions", FIRST)
    assert desk.snapshots("transformed.sessions") == before


def test_a_window_in_which_nothing_arrived_changes_nothing(desk: Desk) -> None:
    for job in ("shows", "sessions", "trending_shows"):
        record = _run(desk, job, FIRST)

        assert [outcome.table for outcome in record.tables if outcome.rows_added or outcome.rows_removed] == []


def _run(desk: Desk, job: str, window: tuple[str, str]) -> RunRecord:
    run = desk.prepared(job, *window)
    importlib.import_module(f"spark_jobs.jobs.{job}").run(run)
    return run.record


def _arrive(desk: Desk, generated: dict[str, list[Row]], window: tuple[str, str]) -> None:
    """What arrived in the window, into the events tables."""
    start, end = (text.replace("T", " ") for text in window)
    for name, every in generated.items():
        arrived = [row for row in every if start <= row["arrived_at"] < end]
        _append(desk, EVENT_TABLES[name], arrived)
        if name == "show_catalog_entry":
            _append(desk, EVENT_DETAILS, [_detail(row) for row in arrived])


def _detail(entry: Row) -> Row:
    number = entry["show_creator_key"].removeprefix("creator-")
    return {
        "event_id": entry["event_id"],
        "event_type": "show_catalog_entry",
        "occurred_at": entry["occurred_at"],
        "details": {"show_creator_id": f"u-{number}", "show_creator_name": f"Name {number}"},
    }


def _append(desk: Desk, table: LakeTable, given: list[dict[str, Any]]) -> None:
    run = desk.prepared("events", *FIRST)
    held = frame(desk.spark, table, given)
    run.lake.ensure(table, held.schema)
    held.writeTo(run.lake.name(table)).append()


def _by_rank(found: list[Row]) -> list[Row]:
    return sorted(found, key=lambda row: (row["as_of"], row["window_hours"], row["rank"]))
