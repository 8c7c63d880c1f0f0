"""What a person may ask of a backfill: refused as the run is started, or at once by its first task."""

from __future__ import annotations

from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import pytest
from airflow.exceptions import ParamValidationError

NOW = datetime(2026, 11, 18, 8, 30, tzinfo=UTC)
GOOD: dict[str, Any] = {"start": "2026-11-01T00", "end": "2026-11-03T00"}


def validated(dagbag: Any, given: dict[str, Any]) -> Any:
    """The parameters as Airflow takes them when the run is started."""
    made: Any = deepcopy(dagbag.dags["backfill"].params)
    for name, value in given.items():
        made[name] = value
    return made.validate()


@pytest.mark.parametrize(
    "wrong",
    [
        {"start": "yesterday"},
        {"start": "2026-11-01"},
        {"end": None},
        {"jobs": []},
        {"jobs": ["maintenance"]},
        {"jobs": ["events", "events"]},
        {"jobs": "events"},
        {"piece_hours": 0},
        {"piece_hours": 169},
        {"piece_hours": "24"},
        {"accept_stale": "yes"},
        {"max_days_late": -1},
    ],
    ids=str,
)
def test_wrong_parameters_are_refused_when_the_run_is_started(dagbag: Any, wrong: dict[str, Any]) -> None:
    with pytest.raises(ParamValidationError):
        validated(dagbag, {**GOOD, **wrong})


def test_a_backfill_without_a_window_is_refused(dagbag: Any) -> None:
    with pytest.raises(ParamValidationError):
        validated(dagbag, {"start": "2026-11-01T00"})


def test_good_parameters_are_taken(dagbag: Any) -> None:
    taken = validated(dagbag, {**GOOD, "jobs": ["events"]})
    assert (taken["jobs"], taken["piece_hours"], taken["accept_stale"]) == (["events"], 24, False)


def test_the_window_is_cut_into_pieces(dagbag: Any) -> None:
    from backfill import pieces

    cut = pieces({"start": "2026-11-01T00", "end": "2026-11-02T06", "piece_hours": 24}, now=NOW)
    assert cut == [
        {"start": "2026-11-01T00", "end": "2026-11-02T00"},
        {"start": "2026-11-02T00", "end": "2026-11-02T06"},
    ]


@pytest.mark.parametrize(
    ("start", "end", "said"),
    [
        ("2026-11-03T00", "2026-11-01T00", "holds no hour"),
        ("2026-11-01T00", "2026-11-01T00", "holds no hour"),
        ("2026-11-18T00", "2026-11-18T10", "has not begun"),
        ("2026-13-01T00", "2026-12-01T00", "is no hour"),
        ("2020-01-01T00", "2026-11-01T00", "pieces; allowed: 100"),
    ],
)
def test_a_window_that_cannot_be_is_refused(dagbag: Any, start: str, end: str, said: str) -> None:
    from backfill import pieces

    with pytest.raises(ValueError, match=said):
        pieces({"start": start, "end": end, "piece_hours": 24}, now=NOW)


def test_the_current_hour_can_be_part_of_a_window() -> None:
    from backfill import pieces

    assert pieces({"start": "2026-11-18T08", "end": "2026-11-18T09", "piece_hours": 24}, now=NOW)


@pytest.mark.parametrize("dag_id", ["hourly", "daily", "data_sets", "canary"])
def test_the_hour_of_a_run_by_hand_is_an_hour(dagbag: Any, dag_id: str) -> None:
    params: Any = deepcopy(dagbag.dags[dag_id].params)
    assert params.validate() == {"as_of": None}
    params["as_of"] = "2026-11-18T08"
    assert params.validate() == {"as_of": "2026-11-18T08"}
    with pytest.raises(ParamValidationError):
        params["as_of"] = "2026-11-18"
