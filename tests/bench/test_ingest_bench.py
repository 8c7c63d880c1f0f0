"""The bench of the ingest function: what it plays, counts, keeps and judges; times are asserted nowhere."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

pytest.importorskip("duckdb", reason="duckdb is in requirements-dev.txt alone; make setup installs it")

from bench import record
from bench.__main__ import main
from bench.ingest.__main__ import _latencies
from bench.ingest.batches import batch, repeated, shows
from bench.ingest.contenders import BARE, HANDLER, OURS, Contender, IngestFailed, contenders
from bench.ingest.page import page
from bench.ingest.results import Cold, Ingest, Rate, Repeats, changes, from_json, targets
from bench.ingest.services import Services
from bench.ingest.speed import rates, repeats
from lambdas.ingest_show_catalog.entry import build
from lambdas.ingest_show_catalog.messages import read_change

SHOWS = shows(6)
IDS = [show["id"] for show in SHOWS]


@pytest.fixture
def services() -> Iterator[Services]:
    with Services(SHOWS) as running:
        yield running


@pytest.fixture
def both(services: Services) -> Iterator[dict[str, Contender]]:
    with contenders(services) as found:
        yield found


def test_shows_keep_the_contract_and_are_the_same_every_time() -> None:
    assert shows(6) == SHOWS
    assert len(set(IDS)) == 6
    for show in SHOWS:
        entry = build(json.dumps(show).encode(), show_id=show["id"], changed_at=(), now_ms=1_794_998_400_000)
        assert entry.unknown_fields == 0


def test_a_batch_announces_each_show_that_it_names() -> None:
    changes = [read_change(one) for one in batch(["show-1", "show-2", "show-1"])["Records"]]
    assert [change.show_id for change in changes] == ["show-1", "show-2", "show-1"]
    assert len({change.message_id for change in changes}) == 3


def test_repeats_fill_batches_in_bursts_or_in_any_order() -> None:
    assert repeated(["a", "b"], times=2, messages=3, in_bursts=True) == [["a", "a", "b"], ["b"]]
    mixed = repeated(IDS, times=5, messages=10, in_bursts=False)
    assert [len(one) for one in mixed] == [10, 10, 10]
    assert sorted(show_id for one in mixed for show_id in one) == sorted(IDS * 5)
    assert mixed != repeated(IDS, times=5, messages=10, in_bursts=True)


def test_the_function_puts_each_show_of_a_batch_on_the_stream_once(
    services: Services, both: dict[str, Contender]
) -> None:
    both[OURS]([*IDS, *IDS])
    assert services.aws.entries == 6
    assert services.catalog.calls == dict.fromkeys(IDS, 1)
    both[BARE]([*IDS, *IDS])
    assert services.catalog.calls == dict.fromkeys(IDS, 2)
    assert services.catalog.connections == 2, "each keeps its own"


def test_a_batch_that_does_not_get_through_is_no_measurement(services: Services, both: dict[str, Contender]) -> None:
    for contender in both.values():
        with pytest.raises(IngestFailed):
            contender(["show-that-is-not-there"])


def test_the_environment_is_as_before_afterwards(services: Services) -> None:
    before = dict(os.environ)
    with contenders(services):
        assert os.environ["CATALOG_BASE_URL"] == services.catalog.base_url
    assert dict(os.environ) == before


def test_each_latency_and_contender_is_measured_and_no_rate_passes_what_the_latency_allows(
    services: Services, both: dict[str, Contender]
) -> None:
    found = rates(both, services, IDS, (0, 10), rounds=2)
    assert {(one.contender, one.latency_ms) for one in found} == {(name, at) for name in (OURS, BARE) for at in (0, 10)}
    for one in found:
        low, high = one.per_s_of_each
        assert low <= one.per_s <= high
        assert one.cpu_ms > 0
        assert one.latency_ms == 0 or one.per_s < 1_000 / one.latency_ms
        assert one.contender != BARE or one.to_bare == 1
    assert set(services.catalog.calls.values()) == {10}, "one before the rounds, two rounds of two latencies, of both"


def test_calls_are_counted_by_show_and_by_batch(services: Services, both: dict[str, Contender]) -> None:
    def asks_twice(show_ids: Sequence[str]) -> None:
        both[BARE](show_ids)
        both[BARE](show_ids)

    found = repeats(asks_twice, services, IDS[:2], times=2, messages=2, in_bursts=True)
    assert (found.batches, found.messages, found.shows, found.shows_of_batches, found.calls) == (2, 4, 2, 2, 4)
    assert (found.per_show, found.per_show_of_a_batch) == (2, 2)


def test_the_function_asks_once_for_a_show_of_a_batch(services: Services, both: dict[str, Contender]) -> None:
    found = repeats(both[OURS], services, IDS, times=5, messages=10, in_bursts=False)
    assert found.per_show_of_a_batch == 1
    assert 1 < found.per_show <= 3, "three batches, and most shows are in more than one"


def _results(*, per_s: float = 40, cold_s: float = 0.14, calls: int = 6) -> Ingest:
    def rate(name: str, shows_per_s: float) -> Rate:
        return Rate(
            latency_ms=20, contender=name, shows=25, per_s=shows_per_s, per_s_of_each=[shows_per_s, shows_per_s],
            to_bare=1, cpu_ms=20 / shows_per_s, cpu_ms_of_each=[0.4, 0.6],
        )  # fmt: skip

    return Ingest(
        date="2026-11-18",
        machine="a machine",
        versions={"Python": "3.13"},
        rounds=3,
        rates=[rate(OURS, per_s), rate(BARE, 45)],
        repeats=[Repeats(order="in bursts", batches=2, messages=12, shows=4, shows_of_batches=6, calls=calls)],
        cold=Cold(starts=3, cold_s=cold_s, cold_s_of_each=[cold_s, cold_s], import_s=0.06, first_s=0.08, next_s=0.002),
    )


def test_targets_tell_what_is_met_and_what_is_missed() -> None:
    assert [target.met for target in targets(_results())] == [True, True]
    assert [target.met for target in targets(_results(cold_s=0.16))] == [True, False]
    assert [target.met for target in targets(_results(calls=7))] == [False, True]
    assert [target.met for target in targets(dataclasses.replace(_results(), cold=None))] == [True]


def test_a_change_that_is_a_fifth_slower_is_visible_beside_the_recorded_result() -> None:
    told = list(changes(_results(per_s=100 / 3, cold_s=0.168), _results()))
    assert told == [
        "time a show at 20 ms: 30.00 ms, recorded 25.00 ms (+20%, SLOWER)",
        "CPU a show at 20 ms: 0.60 ms, recorded 0.50 ms (+20%, SLOWER)",
        "cold start: 168.00 ms, recorded 140.00 ms (+20%, SLOWER)",
        "cold start over a bare function, ms of CPU: 168, was 140: now MISSED",
    ]
    assert "SLOWER" not in "\n".join(changes(_results(), _results()))
    assert "nothing is recorded" in "\n".join(changes(_results(), None))
    elsewhere = dataclasses.replace(_results(), machine="another")
    assert next(changes(elsewhere, _results())).startswith("recorded on another machine")


def test_the_part_is_recorded_after_the_others_and_read_back_whole(tmp_path: Path) -> None:
    record.record("ingest", _results().as_json(), page(_results()), tmp_path)
    record.record("flatten", {"at": 1}, "# The flattening function", tmp_path)
    text = (tmp_path / record.PAGE).read_text("utf-8")
    assert text.index("## The flattening function") < text.index("## The ingest function, measured")
    assert "| 20 ms | **the ingest function** | 40.0 (40.0 to 40.0) |" in text
    assert "### Cold start" in text
    assert from_json(record.recorded("ingest", tmp_path)) == _results()
    warm = dataclasses.replace(_results(), cold=None)
    assert from_json(json.loads(json.dumps(warm.as_json()))) == warm
    assert "Cold start" not in page(warm)


def test_the_command_line_measures_and_strict_tells_a_miss(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["ingest", "--latencies", "0,1", "--rounds", "1", "--batch", "2", "--no-runtime", "--strict"]
    assert main(options) == 0
    assert "| 1 ms | **the ingest function** |" in capsys.readouterr().out
    monkeypatch.setattr("bench.ingest.results.CALLS_PER_SHOW", 0.5)
    assert main(options) == 1


@pytest.mark.parametrize("given", ["-1", "5,9000"])
def test_latencies_out_of_range_are_refused_with_what_is_allowed(given: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="between 0 and 4000"):
        _latencies(given)


def test_the_function_starts_through_the_real_runtime_client(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("awslambdaric", reason="needs requirements-dev.txt")
    from bench import runtime

    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [os.getcwd(), os.environ.get("PYTHONPATH", "")])))
    core = max(os.sched_getaffinity(0))
    payload = json.dumps(batch(IDS)).encode()
    found = runtime.run(f"{HANDLER}.handler", [payload] * 2, core=core, environment=services.environment())
    assert services.aws.entries == 2 * len(IDS)
    assert found.call_s[1] < found.call_s[0]
