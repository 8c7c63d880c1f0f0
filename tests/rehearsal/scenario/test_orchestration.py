"""Which DAG runs a rehearsal asks for: every hour of its window once, each in its turn."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

pytest.importorskip("time_machine", reason="needs time-machine: install requirements-dev.txt")

from rehearsal.engine.mwaa.model import Installation
from rehearsal.scenario import orchestration
from rehearsal.scenario.batch import Window
from rehearsal.scenario.orchestration import day_of

START = datetime(2026, 11, 18, 7, tzinfo=UTC)
HOUR = timedelta(hours=1)


def _window(hours: int) -> Window:
    return Window(start=START, end=START + hours * HOUR)


@pytest.mark.parametrize(("hours", "ends"), [(1, [1]), (2, [2]), (4, [2, 3, 4])])
def test_hourly_runs_cover_the_window_two_hours_each(hours: int, ends: list[int]) -> None:
    asked = [step.window for step in day_of(_window(hours)) if step.dag == "hourly"]
    assert [window and window.end for window in asked] == [START + end * HOUR for end in ends]
    # No two have one logical date, which Airflow would refuse.
    assert len({window.start for window in asked if window}) == len(ends)


def test_what_reads_tables_waits_for_the_runs_that_make_them() -> None:
    after = {step.dag: step.after for step in day_of(_window(2), all_dags=True)}
    assert after["hourly"] == after["batch"] == ()
    assert after["daily"] == after["canary"] == ("hourly",)
    assert after["maintenance"] == ("batch", "daily")
    assert after["backfill"] == ("maintenance",)


def test_only_with_all_dags_are_there_maintenance_and_a_backfill() -> None:
    assert {step.dag for step in day_of(_window(2))} == {"hourly", "batch", "daily", "canary"}


def test_nobody_asks_for_a_run_that_a_message_starts() -> None:
    assert [step.dag for step in day_of(_window(2), all_dags=True, by_message=True) if step.awaited] == ["batch"]
    assert not any(step.awaited for step in day_of(_window(2), all_dags=True))


def test_a_backfill_is_of_the_windows_first_hour() -> None:
    (backfill,) = (step for step in day_of(_window(2), all_dags=True) if step.dag == "backfill")
    assert (backfill.conf["start"], backfill.conf["end"]) == ("2026-11-18T07", "2026-11-18T08")


def test_without_an_installation_it_is_said_what_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    nowhere = Installation(python=tmp_path / "bin" / "python", cache=tmp_path)
    monkeypatch.setattr(orchestration, "INSTALLATION", nowhere)
    assert "make setup installs it where Python 3.11 or 3.12 is found" in orchestration.left_out()
