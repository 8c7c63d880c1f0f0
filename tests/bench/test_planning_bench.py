"""The bench of the warehouse's planning: what it plans, counts, keeps and judges; times are asserted nowhere."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from bench import planning, record
from bench.planning import Planning, main, measure, page, targets


def test_each_state_is_planned_with_what_differs_in_it_and_no_more() -> None:
    results = measure(rounds=1)
    assert results.grants == 1_000
    nothing, everything, tenth = results.planned
    # Each user is a user and a membership.
    assert nothing.changes == planning.SCHEMAS + planning.ROLES + 2 * planning.USERS + results.grants
    assert nothing.statements < nothing.changes / 2
    assert (everything.changes, everything.statements, everything.transactions) == (0, 0, 0)
    assert 0 < tenth.changes < nothing.changes / 5
    assert {one.state for one in results.planned} == {one.what.partition(", ")[2] for one in targets(results)}


def test_results_are_recorded_and_read_back_whole(tmp_path: Path) -> None:
    results = measure(rounds=1)
    record.record("plan", dataclasses.asdict(results), page(results), tmp_path)
    assert Planning.of(record.recorded("plan", tmp_path)) == results
    assert Planning.of(json.loads(json.dumps(dataclasses.asdict(results)))) == results
    assert "## Planning a warehouse, measured" in (tmp_path / record.PAGE).read_text("utf-8")


def test_the_command_line_measures_and_strict_tells_a_miss(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--rounds", "1", "--strict"]
    assert main(options) == 0
    assert "| seconds to plan, all is there | under 2 |" in capsys.readouterr().out
    monkeypatch.setattr("bench.planning.PLANNED_S", 0.0)
    assert main(options) == 1
    assert "**missed**" in capsys.readouterr().out


def test_no_rounds_are_refused_with_what_is_allowed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--rounds", "0"])
    assert "must be 1 or more" in capsys.readouterr().err
