"""Faults are what their labels say, by the contracts and by the function that lands them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from contracts.reasons import Reason
from rehearsal.scenario.population import Fault, PopulationSettings, faults

NOW = datetime(2026, 11, 18, 20, tzinfo=UTC)
FAULTS = faults(PopulationSettings(now=NOW))
BY_KIND = {fault.kind: fault for fault in FAULTS}


def occurred(fault: Fault) -> datetime:
    return datetime.fromtimestamp(json.loads(fault.line)["occurred_at"] / 1000, tz=UTC)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.kind)
def test_a_fault_has_the_outcome_that_its_label_expects(fault: Fault) -> None:
    pytest.importorskip("orjson", reason="the flattening function's packages come with requirements-dev.txt")
    pytest.importorskip("pybase64", reason="the flattening function's packages come with requirements-dev.txt")
    from lambdas.flatten_events.landing import Arrival, land

    arrival = Arrival(sequence_number="49", sub_sequence=0, arrived_at_ms=int(NOW.timestamp() * 1000))
    landed = land(fault.line, arrival)
    outcome = f"quarantined:{landed.reason.value}" if landed.reason else "landed"
    assert (outcome, landed.type) == (fault.expected, fault.type)
    assert landed.derived_id == (fault.event_id is None)
    if fault.event_id is not None:
        assert json.loads(landed.line)["event_id"] == fault.event_id


def test_kinds_occur_once_and_every_label_is_an_outcome() -> None:
    assert len(BY_KIND) == len(FAULTS)
    outcomes = {"landed"} | {f"quarantined:{reason.value}" for reason in Reason}
    assert {fault.expected for fault in FAULTS} <= outcomes


def test_no_fault_breaks_a_line_protocol() -> None:
    assert all(fault.line and b"\n" not in fault.line for fault in FAULTS)


def test_the_duplicate_is_its_original_byte_for_byte_and_no_other_id_is_shared() -> None:
    assert BY_KIND["duplicate"].line == BY_KIND["original"].line
    ids = [fault.event_id for fault in FAULTS if fault.event_id and fault.kind != "duplicate"]
    assert len(set(ids)) == len(ids)


def test_late_and_future_events_lie_days_and_years_off() -> None:
    assert NOW - timedelta(days=4) < occurred(BY_KIND["late"]) < NOW - timedelta(days=3)
    assert occurred(BY_KIND["future"]) > NOW + timedelta(days=3 * 365)


def test_equal_settings_give_equal_faults_and_another_seed_other_ids() -> None:
    assert faults(PopulationSettings(now=NOW)) == FAULTS
    assert faults(PopulationSettings(now=NOW, seed=8)) != FAULTS
