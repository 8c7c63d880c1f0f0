"""A run writes a day whole or not at all, and tells what it wrote and what its tests found."""

from __future__ import annotations

import duckdb
import pytest

from contracts.lake_tables.events import EVENT_TABLES
from reports import running
from tests.reports.small_lake import DAY, SmallLake, at


def test_a_run_tells_the_rows_that_it_wrote(lake: SmallLake) -> None:
    outcome = running.run(lake.connection, day=DAY, models=["flash_events"])
    assert (outcome.day, outcome.rows, outcome.failures) == (DAY, {"flash_events": len(EVENT_TABLES)}, [])


def test_all_models_run_on_a_lake_without_a_row(lake: SmallLake) -> None:
    outcome = running.run(lake.connection, day=DAY)
    assert set(outcome.rows) == {step.model for step in running.order()}
    assert outcome.failures == []


def test_rows_that_break_a_test_are_told(lake: SmallLake, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = running.compiled
    monkeypatch.setattr(running, "compiled", lambda name, *, dialect: (
        f"select * from ({whole(name, dialect=dialect)}) union all select '__DAY__', 'like', 1, 0"
        if name == "flash_events" else whole(name, dialect=dialect)
    ))  # fmt: skip
    (failure,) = running.run(lake.connection, day=DAY, models=["flash_events"]).failures
    assert (failure.model, failure.test, failure.rows) == ("flash_events", "flash_events_key", 1)
    assert failure.examples == [{"day": DAY, "event_type": "like", "times": 2}]


def test_a_run_that_fails_leaves_the_day_as_it_was(lake: SmallLake, monkeypatch: pytest.MonkeyPatch) -> None:
    lake.happened("like", {"occurred_at": at("08:00")})
    before = lake.run("flash_events")
    monkeypatch.setattr(running, "compiled", lambda *_, **__: "select error('no')")
    with pytest.raises(duckdb.Error):
        running.run(lake.connection, day=DAY, models=["flash_events"])
    assert lake.rows("flash_events") == before


def test_a_table_that_is_missing_is_named(lake: SmallLake) -> None:
    lake.connection.execute("drop table transformed.like")
    with pytest.raises(ValueError, match=r"\['transformed.like'\], which the connection does not have"):
        running.run(lake.connection, day=DAY)


def test_an_unknown_model_is_refused(lake: SmallLake) -> None:
    with pytest.raises(ValueError, match=r"\['flash'\] are no models"):
        running.run(lake.connection, day=DAY, models=["flash"])
