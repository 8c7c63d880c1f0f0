"""The bench of the flattening function: what it generates, compares, keeps and judges; nothing is measured here."""

from __future__ import annotations

import dataclasses
import json
import os
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("msgspec", reason="the flattening function's own package")

from bench import record
from bench.flatten import families
from bench.flatten.agreement import DIFFERS, MISSING, REAL, compare
from bench.flatten.contenders import ALL, FLATTENING, FLOOR, OURS, Transform, contender
from bench.flatten.families import FAMILIES, KINDS, KNOWN, UNKNOWN, WIDER
from bench.flatten.page import page
from bench.flatten.results import Called, Flatten, Speed, changes, from_json, targets
from bench.flatten.speed import interleaved
from lambdas.flatten_events.landing import Arrival, land

ARRIVAL = Arrival(sequence_number="1", sub_sequence=0, arrived_at_ms=families.NOW_MS)
PACKAGES = {"json_tools_rs": "json_tools_rs", "powertools": "aws_lambda_powertools", "flatten_json": "flatten_json"}


def _contender(name: str) -> Transform:
    if name in PACKAGES:
        pytest.importorskip(PACKAGES[name], reason="needs requirements-dev.txt")
    return contender(name)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("family", FAMILIES)
def test_generated_events_are_of_the_kind_that_they_are_called(family: str, kind: str) -> None:
    lines = families.lines(family, kind, 40)
    landed = [land(line, ARRIVAL) for line in lines]
    assert {one.reason for one in landed} == {None}
    assert {one.type for one in landed} == {"unknown" if kind == UNKNOWN else FAMILIES[family][0]}
    assert all(one.unknown_fields > 0 for one in landed) == (kind == WIDER)
    assert all(500 < len(line) < 5_000 for line in lines)


def test_the_same_events_are_generated_every_time() -> None:
    assert families.lines("chat", KNOWN, 5) == families.lines("chat", KNOWN, 5) != families.lines("chat", WIDER, 5)


def test_a_file_of_json_lines_is_taken_and_an_empty_one_refused(tmp_path: Path) -> None:
    file = tmp_path / "own.jsonl"
    file.write_bytes(b'{"a":1}\n\n{"a":2}\r\n')
    assert families.lines_of(file) == [b'{"a":1}', b'{"a":2}']
    file.write_bytes(b"\n")
    with pytest.raises(ValueError, match="one JSON event a line"):
        families.lines_of(file)


@pytest.mark.parametrize("name", FLATTENING)
def test_contenders_land_the_values_that_ours_lands(name: str) -> None:
    request = families.request([line for family in FAMILIES for line in families.lines(family, WIDER, 20)])
    found = compare(contender(OURS), _contender(name), request)
    assert found["agree"] > 1_000
    assert not any(found[real] for real in REAL)


def test_a_value_that_differs_and_one_that_is_missing_are_seen() -> None:
    request = families.request(families.lines("click", KNOWN, 1))

    def wrong(request: dict[str, Any]) -> dict[str, Any]:
        response = _contender("recursion")(request)
        row = json.loads(b64decode(response["records"][0]["data"]))
        row["app_version"] = "0"
        del row["user_id"]
        (response["records"][0],) = families.request([json.dumps(row).encode()])["records"]
        return response

    found = compare(contender(OURS), wrong, request)
    assert (found[DIFFERS], found[MISSING]) == (1, 1)


def test_the_floor_answers_each_record_with_the_event_as_it_came() -> None:
    request = families.request(families.lines("chat", KNOWN, 3))
    data = [record["data"] for record in contender(FLOOR)(request)["records"]]
    assert data == [record["data"] for record in request["records"]]


def test_a_round_calls_each_contender_once_and_the_first_is_not_counted() -> None:
    calls: list[str] = []

    def called(name: str) -> Transform:
        def transform(request: dict[str, Any]) -> dict[str, Any]:
            calls.append(name)
            return request

        return transform

    timed = interleaved({name: called(name) for name in (OURS, FLOOR)}, {"records": [1]}, rounds=3)
    assert calls == [OURS, FLOOR] * 4
    assert timed[FLOOR]["to_floor"] == 1


def _results(to_floor: float) -> Flatten:
    def speed(name: str, times: float) -> Speed:
        us = 5 * times
        return Speed(kind=KNOWN, family="all", bytes=900, contender=name, us=us, us_of_each=[us, us], to_floor=times)

    called = Called(contender=OURS, request_bytes=1, response_bytes=1, call_s=0.01, cold_s=0.02, extra_bytes=2**20)
    return Flatten(
        date="2026-11-18",
        machine="a machine",
        versions={"Python": "3.13"},
        rounds=3,
        speeds=[speed(OURS, to_floor), *(speed(name, 1 if name == FLOOR else 7) for name in ALL[1:])],
        called=[called],
        response_to_request=1.2,
        agreement={"recursion": {"agree": 5, DIFFERS: 1}},
    )


def test_targets_tell_what_is_met_and_what_is_missed() -> None:
    met = {target.what: target.met for target in targets(_results(1.5))}
    assert met["ours / floor, known events"]
    assert met["recursion / ours, known events"]
    assert not any(target.met for target in targets(_results(1.9)) if "known events" in target.what)


def test_a_change_that_is_a_fifth_slower_is_visible_beside_the_recorded_result() -> None:
    told = "\n".join(changes(_results(1.8), _results(1.5)))
    assert "ours, known all: 1.80 × the floor, recorded 1.50 (+20%, SLOWER)" in told
    assert "SLOWER" not in "\n".join(changes(_results(1.5), _results(1.5)))
    assert "nothing is recorded" in "\n".join(changes(_results(1.5), None))


def test_a_part_that_is_recorded_leaves_the_other_as_it_was(tmp_path: Path) -> None:
    record.record("lake", {"at": 1}, "# The lake\n\n## Targets\n\nmet", tmp_path)
    for _ in range(2):
        record.record("flatten", _results(1.5).as_json(), page(_results(1.5)), tmp_path)
    text = (tmp_path / record.PAGE).read_text("utf-8")
    assert text.count("## The lake\n\n### Targets\n\nmet\n") == 1
    assert text.count("## The flattening function, measured") == 1
    assert record.recorded("lake", tmp_path) == {"at": 1}
    assert from_json(record.recorded("flatten", tmp_path)) == _results(1.5)
    assert record.recorded("flatten", tmp_path / "nowhere") is None


def test_a_function_is_called_through_the_real_runtime_client(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("awslambdaric", reason="needs requirements-dev.txt")
    from bench import runtime

    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [os.getcwd(), os.environ.get("PYTHONPATH", "")])))
    core = max(os.sched_getaffinity(0))
    request = json.dumps(families.request(families.lines("click", KNOWN, 3))).encode()
    found = runtime.run("lambdas.flatten_events.handler.handler", [request] * 3, core=core)
    assert len(found.call_s) == 3
    assert 0 < min(found.call_s) < found.cold_s
    assert found.import_s + found.call_s[0] == pytest.approx(found.cold_s)
    assert found.response_bytes > 1_000
    with pytest.raises(runtime.RuntimeFailed, match="KeyError"):
        runtime.run("lambdas.flatten_events.handler.handler", [b"{}"], core=core)


def test_results_are_kept_whole() -> None:
    assert from_json(json.loads(json.dumps(dataclasses.asdict(_results(1.5))))) == _results(1.5)
