"""The files that are dropped: what they hold, what is promised for them, and how a person's own are laid out."""

from __future__ import annotations

import csv
import gzip
import io
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

pytest.importorskip("duckdb", reason="Parquet files are written by DuckDB")

from contracts.datasets import DATASETS
from rehearsal.scenario import drops
from rehearsal.scenario.inputs import InputError
from rehearsal.scenario.population import Population, PopulationSettings


@pytest.fixture(scope="module")
def population() -> Population:
    return Population(PopulationSettings(now=datetime(2026, 11, 18, 20, tzinfo=UTC), live_events=100, shows=20))


def test_every_declared_dataset_gets_a_file_with_the_rows_that_are_promised(population: Population) -> None:
    made = drops.generated(population)
    assert {drop.dataset for drop in made} == {dataset.name for dataset in DATASETS}
    for drop in made:
        if drop.key.endswith(".json.gz"):
            assert len([json.loads(line) for line in gzip.decompress(drop.body).splitlines()]) == drop.rows
        if drop.key.endswith("catalog.csv"):
            assert drop.body.startswith(drops.BYTE_ORDER_MARK)
            rows = list(csv.DictReader(io.StringIO(drop.body.decode("utf-8-sig"), newline="")))
            assert len(rows) == drop.rows
            assert any("\n" in row["editorial_note"] for row in rows)


def test_equal_settings_give_equal_files(population: Population) -> None:
    again = Population(population.settings)
    assert [drop.body for drop in drops.generated(again)] == [drop.body for drop in drops.generated(population)]


def test_a_cut_file_cannot_be_unpacked(population: Population) -> None:
    cut = next(drop for drop in drops.faulty(population) if drop.refused == "corrupt_file")
    with pytest.raises(EOFError):
        gzip.decompress(cut.body)


def test_own_files_become_a_table_a_folder_or_a_file(tmp_path: Path) -> None:
    (tmp_path / "Shows 2021").mkdir()
    (tmp_path / "Shows 2021" / "a.csv").write_text("id\n1\n")
    (tmp_path / "Listens.ndjson.gz").write_bytes(gzip.compress(b"{}\n"))
    (tmp_path / "notes.txt").write_text("not taken")
    assert [drop.key for drop in drops.own(tmp_path)] == [
        "batch/uploads/listens/Listens.ndjson.gz",
        "batch/uploads/shows_2021/a.csv",
    ]


def test_a_folder_without_files_that_can_be_taken_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no file that ends in"):
        drops.own(tmp_path)
    with pytest.raises(InputError, match="is no folder"):
        drops.own(tmp_path / "absent")


def test_files_of_ones_own_that_are_left_out_are_named_but_for_hidden_ones(tmp_path: Path) -> None:
    for name in ("rows.csv", "read me.txt", ".hidden.md", "deep/archive.zip", "deep/lines.json.gz"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    assert drops.skipped(tmp_path) == ["deep/archive.zip", "read me.txt"]
