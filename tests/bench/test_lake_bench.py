"""The bench of the lake job: what it generates, compares and judges; no Spark, and nothing is measured."""

from __future__ import annotations

import dataclasses
import gzip
import json
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("duckdb", reason="duckdb is in requirements-dev.txt alone; make setup installs it")
pytest.importorskip("polars", reason="polars is in requirements-dev.txt alone; make setup installs it")

from bench import comparison
from bench.comparison import Written
from bench.contenders import duckdb_sql, polars_frames
from bench.contenders.entry import Task
from bench.generation import END, LATE_HOUR, SHARES, START, Made, generate, late_batch
from bench.processes import ContenderFailed, measure
from bench.record import record, recorded
from bench.report import changes, page
from bench.results import LONGER, Late, Result, Results, from_json, targets
from contracts.events import by_type

TYPES = tuple(SHARES)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return generate(tmp_path_factory.mktemp("cache"), 0.004, workers=1)


def lines(made: Made, event_type: str = "*") -> list[dict[str, Any]]:
    paths = sorted(Path(made.folder).glob(f"events/type={event_type}/arrival=*/*.json.gz"))
    return [json.loads(line) for path in paths for line in gzip.decompress(path.read_bytes()).splitlines()]


def test_generated_lines_hold_columns_of_their_contract_and_what_it_requires(made: Made) -> None:
    for event_type in TYPES:
        event = by_type(event_type)
        assert event is not None
        found = lines(made, event_type)
        assert found
        assert {name for line in found for name in line} <= set(event.table.column)
        required = {column.name for column in event.table.columns if column.required}
        assert all(required <= set(line) for line in found)


def test_some_events_are_delivered_twice_and_some_are_late(made: Made) -> None:
    found = lines(made)
    repeated = sum(count - 1 for count in Counter(line["event_id"] for line in found).values())
    late = sum(line["occurred_at"][:10] < line["arrived_at"][:10] for line in found)
    assert 0.005 < repeated / len(found) < 0.04
    assert 0 < late < len(found) / 10


def test_equal_sizes_give_equal_files(made: Made, tmp_path: Path) -> None:
    again = generate(tmp_path, 0.004, workers=1)
    contents = [
        {path.relative_to(one.folder): path.read_bytes() for path in Path(one.folder).rglob("*.gz")}
        for one in (made, again)
    ]
    assert contents[0] == contents[1]
    assert abs(made.json_bytes - 4_000_000) < 400_000


def test_every_row_of_the_late_batch_arrives_in_its_hour(tmp_path: Path) -> None:
    found = lines(late_batch(tmp_path, rows=200))
    assert {line["arrived_at"][:13] for line in found} == {f"{LATE_HOUR:%Y-%m-%d %H}"}


@pytest.fixture(scope="module")
def written(made: Made, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Written]:
    found = {}
    for name, contender in (("duckdb_sql", duckdb_sql), ("polars_frames", polars_frames)):
        out = tmp_path_factory.mktemp(name)
        task = Task(raw=Path(made.folder), out=out, start=START, end=END, types=TYPES, cores=1)
        contender.prepare(task)()
        found[name] = Written(name=name, folder=out)
    return found


def test_contenders_write_the_same_rows_each_event_once(
    made: Made, written: dict[str, Written], tmp_path: Path
) -> None:
    one, other = written["duckdb_sql"], written["polars_frames"]
    assert set(comparison.rows_that_differ(one, other, TYPES, scratch=tmp_path).values()) == {0}
    distinct = len({line["event_id"] for line in lines(made)})
    shared = sum(comparison.rows(one, f"transformed/{name}", scratch=tmp_path) for name in TYPES)
    assert shared == distinct < made.rows


def test_a_row_that_one_contender_lacks_is_seen(made: Made, written: dict[str, Written], tmp_path: Path) -> None:
    import duckdb

    whole = written["duckdb_sql"]
    for table in comparison.tables(TYPES):
        target = tmp_path / table / "day=2026-11-15"
        target.mkdir(parents=True)
        limit = "OFFSET 1" if table == "transformed/like" else ""
        duckdb.execute(
            f"COPY (SELECT * FROM read_parquet('{whole.folder}/{table}/*/*.parquet', hive_partitioning = false) "  # noqa: S608
            f"{limit}) TO '{target}/data.parquet'"
        )
    found = comparison.rows_that_differ(whole, Written(name="cut", folder=tmp_path), TYPES, scratch=tmp_path)
    assert {table for table, rows in found.items() if rows} == {"transformed/like"}
    assert found["transformed/like"] == 1


def test_files_are_counted_by_partition(written: dict[str, Written], tmp_path: Path) -> None:
    found = comparison.files(written["polars_frames"], TYPES, scratch=tmp_path)
    assert found.most_in_a_partition == 1
    assert found.largest_bytes <= found.bytes


def test_a_measured_program_that_fails_says_what_it_wrote(tmp_path: Path) -> None:
    with pytest.raises(ContenderFailed, match="out of paper"):
        measure(["-c", "raise SystemExit('out of paper')"], cores=(0,), folder=tmp_path)


def test_start_up_is_told_apart_from_work_and_processes_it_starts_are_counted(tmp_path: Path) -> None:
    program = (
        "import json, subprocess, sys, time\n"
        "time.sleep(0.3); began = time.monotonic()\n"
        "busy = 'import time\\nend = time.process_time() + 0.4\\nwhile time.process_time() < end: pass'\n"
        "subprocess.run([sys.executable, '-c', busy], check=True)\n"
        "open(sys.argv[2], 'w').write(json.dumps({'began': began, 'ended': time.monotonic(), 'told': 'x'}))"
    )
    found = measure(["-c", program], cores=(min(_allowed()),), folder=tmp_path)
    assert found.told == "x"
    assert found.start_s >= 0.3
    assert found.work_s >= 0.4
    assert found.cpu_s >= 0.3
    assert found.peak_bytes > 1_000_000


def _allowed() -> set[int]:
    import os

    return os.sched_getaffinity(0)


def result(contender: str, work_s: float, gigabytes: float = 1.0, **more: Any) -> Result:
    base = Result(
        gigabytes=gigabytes, contender=contender, rounds=1, rows_in=10, rows_out=9, rows_that_differ=0, start_s=1.0,
        work_s=work_s, work_s_of_each=[work_s], wall_s=work_s + 1, cpu_s=work_s, peak_bytes=1, files=1,
        most_files_in_a_partition=1, largest_file_bytes=1, bytes_out=1,
    )  # fmt: skip
    return dataclasses.replace(base, **more)


def results(found: Sequence[Result], late: Sequence[Late] = ()) -> Results:
    return Results(date="2026-11-21", machine="m", versions={}, at=1.0, results=list(found), late=list(late))


def missed(found: Results) -> list[str]:
    return [target.what for target in targets(found) if not target.met]


def test_targets_are_met_at_their_edge_and_missed_beyond() -> None:
    at_edge = results([result("ours", 65.0), result("usual_spark", 100.0), result("duckdb_sql", 16.25)])
    beyond = results([result("ours", 66.0), result("usual_spark", 100.0), result("duckdb_sql", 16.25)])
    assert missed(at_edge) == []
    assert len(missed(beyond)) == 2


@pytest.mark.parametrize(
    ("ours", "other"),
    [
        ({"most_files_in_a_partition": 2}, {}),
        ({"largest_file_bytes": 128 * 2**20 + 1}, {}),
        ({}, {"rows_that_differ": 1}),
    ],
)
def test_too_many_files_too_large_ones_and_other_rows_are_misses(ours: dict[str, int], other: dict[str, int]) -> None:
    found = results([result("ours", 10.0, **ours), result("usual_spark", 100.0, **other)])
    assert len(missed(found)) == 1


def test_work_that_grows_faster_than_its_input_is_a_miss() -> None:
    assert missed(results([result("ours", 10.0, 1.0), result("ours", 40.0, 4.0)])) == []
    assert len(missed(results([result("ours", 10.0, 1.0), result("ours", 41.0, 4.0)]))) == 1


def test_late_rows_that_cost_what_the_history_holds_are_a_miss() -> None:
    def late(gigabytes: float, bytes_read: int) -> Late:
        return Late(
            gigabytes=gigabytes, grown_by=LONGER, rows_before=1, rows_added=1, work_s=1.0, cpu_s=1.0,
            bytes_read=bytes_read, bytes_written=1, files_added=1, files_removed=0,
        )  # fmt: skip

    assert missed(results([], [late(0.1, 100), late(4.0, 150)])) == []
    assert len(missed(results([], [late(0.1, 100), late(4.0, 4_000)]))) == 1


def test_a_slower_change_shows_beside_what_was_recorded(tmp_path: Path) -> None:
    before = results([result("ours", 10.0)])
    record("lake", asdict(before), "# A page", tmp_path)
    found = from_json(recorded("lake", tmp_path))
    assert found == before
    (line,) = changes(results([result("ours", 13.0)]), found)
    assert "+30%" in line
    assert "SLOWER" in line
    assert from_json(recorded("lake", tmp_path / "none")) is None


def test_the_page_says_what_was_missed() -> None:
    text = page(results([result("ours", 90.0), result("usual_spark", 100.0)]))
    assert "**missed**" in text
    assert "0.90" in text


@pytest.mark.parametrize("sizes", ["0", "a", "1,1000"])
def test_sizes_that_cannot_be_are_refused(sizes: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from bench.__main__ import main

    monkeypatch.setattr(sys, "stderr", sys.stdout)
    with pytest.raises(SystemExit):
        main(["--sizes", sizes])
