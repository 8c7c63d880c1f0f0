"""A folder of one's own files goes the whole way, whatever they hold: into the catalog, and by Spark into tables."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("time_machine", reason="a rehearsal needs the packages of requirements-dev.txt")
pytest.importorskip("duckdb", reason="played crawlers infer schemas with DuckDB, of requirements-dev.txt")

from rehearsal.engine.errors import RehearsalError
from rehearsal.engine.spark.jars import jars
from rehearsal.scenario import batch, drops, tables_findings
from rehearsal.scenario.tables import Tables
from tests.rehearsal.proofs.dropped import Dropped, json_lines, parquet
from tests.rehearsal.proofs.played import NOW, Played

pytestmark = [pytest.mark.xdist_group("spark"), pytest.mark.campaign]

NOTES = '\ufeffid,"The text",score\r\n1,"first\nsecond",2.5\r\n2,"say ""hi"", ok",\r\n3,Łódź,7\r\n'
PAGE = b"<!doctype html><html><body>Sign in to download</body></html>\n"


def own(folder: Path) -> Path:
    """A folder as a person has it: nested or not, some packed, one with a name of many words, two of them no good."""
    files = {
        "notes.csv": NOTES.encode(),
        "logs/18.ndjson": json_lines(
            {"at": "2026-11-18T20:00:00Z", "who": {"name": "Ann", "tags": ["x", "y"]}, "n": 1},
            {"at": "2026-11-18T20:01:00Z", "who": {"name": "Bea", "tags": []}, "n": 2},
        ),
        "logs/deeper/19.ndjson.gz": gzip.compress(
            json_lines({"at": "2026-11-19T08:00:00Z", "who": None, "n": 2**40, "new": True})
        ),
        "sales.parquet": parquet({"id": 1, "sold_on": "2026-11-18", "amount": 12.5}, {"id": 2, "amount": 1.0}),
        "Umsätze Q4.csv": b"Monat,Betrag in EUR\nOktober,10\nNovember,20\n",
        "mixed/good.csv": b"a,b\n1,2\n",
        "mixed/page.csv": PAGE,
        "page/download.parquet": PAGE,
        "read me.txt": b"not taken",
    }
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


ROWS = {
    "uploads/logs/18.ndjson": 2,
    "uploads/logs/19.ndjson.gz": 1,
    "uploads/mixed/good.csv": 1,
    "uploads/notes/notes.csv": 3,
    "uploads/sales/sales.parquet": 2,
    "uploads/ums_tze_q4/Umsätze Q4.csv": 2,
}
REFUSED = {"uploads/mixed/page.csv": "wrong_format", "uploads/page/download.parquet": "wrong_format"}


@pytest.fixture(scope="module")
def crawled(assembly: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dropped]:
    """The files in a platform, crawled."""
    with Played(assembly, workspace=tmp_path_factory.mktemp("own-files")) as played:
        batch.drop(played.deployed, drops.own(own(tmp_path_factory.mktemp("own"))))
        dropped = Dropped(played)
        dropped.settle()
        yield dropped


def test_each_folder_or_file_becomes_a_table_of_the_catalog(crawled: Dropped) -> None:
    types = {name: crawled.columns(f"batch_uploads_{name}") for name in ("notes", "logs", "sales", "ums_tze_q4")}
    assert types == {
        "notes": {"id": "bigint", "the text": "string", "score": "double"},
        "logs": {"at": "string", "who": "struct<name:string,tags:array<string>>", "n": "bigint", "new": "boolean"},
        "sales": {"id": "bigint", "sold_on": "date", "amount": "double"},
        "ums_tze_q4": {"monat": "string", "betrag in eur": "bigint"},
    }
    assert {name: crawled.counts(f"batch_uploads_{name}") for name in types} == {
        "notes": (1, 3),
        "logs": (2, 3),
        "sales": (1, 2),
        "ums_tze_q4": (1, 2),
    }
    assert crawled.states("uploads") == ["COMPLETED"]


@dataclass(frozen=True, kw_only=True)
class Taken:
    """The tables that Spark made of them."""

    found: Tables

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        rows: list[tuple[Any, ...]] = self.found.connection.execute(sql).fetchall()
        return rows


@pytest.fixture(scope="module")
def taken(crawled: Dropped) -> Iterator[Taken]:
    """The files in tables, by one run of the job."""
    pytest.importorskip("pyspark", reason="pyspark is in requirements-dev.txt alone; make setup installs it")
    try:
        jars()
    except RehearsalError as missing:
        pytest.skip(str(missing))
    window = batch.Window.around(NOW, crawled.engine.clock.now())
    (ran,) = batch.run_jobs(crawled.deployed, window, jobs=["batch_files"])
    assert (ran.state, ran.error) == ("SUCCEEDED", "")
    with closing(tables_findings.read_tables(crawled.deployed)) as found:
        yield Taken(found=found)


def test_every_row_is_in_a_personal_table_or_its_file_is_refused_with_a_reason(taken: Taken) -> None:
    names = sorted(table.name for table in taken.found.found if table.name.startswith("batch_"))
    assert names == [f"batch_uploads_{name}" for name in ("logs", "mixed", "notes", "sales", "ums_tze_q4")]
    assert {table.database for table in taken.found.found if table.name in names} == {"personal"}
    counts = {
        key.partition("batch/")[2]: count
        for name in names
        for key, count in taken.rows(f"FROM personal.{name} SELECT source_file, count(*) GROUP BY 1")
    }
    assert counts == ROWS
    refused = taken.rows("SELECT file, reason_code FROM personal.rejected_rows")
    assert {file.partition("batch/")[2]: reason for file, reason in refused} == REFUSED


def test_values_are_what_the_files_say(taken: Taken) -> None:
    notes = taken.rows("SELECT id, the_text, score, source_row FROM personal.batch_uploads_notes ORDER BY id")
    assert notes == [(1, "first\nsecond", 2.5, 0), (2, 'say "hi", ok', None, 1), (3, "Łódź", 7.0, 2)]
    logs = taken.rows(
        "SELECT n, json_extract_string(who, '$.tags[1]'), \"new\" FROM personal.batch_uploads_logs ORDER BY n"
    )
    assert logs == [(1, "y", None), (2, None, None), (2**40, None, True)]
    sales = taken.rows("SELECT id, CAST(sold_on AS VARCHAR), amount FROM personal.batch_uploads_sales ORDER BY id")
    assert sales == [(1, "2026-11-18", 12.5), (2, None, 1.0)]
    assert taken.rows("SELECT monat, betrag_in_eur FROM personal.batch_uploads_ums_tze_q4 ORDER BY 2") == [
        ("Oktober", 10),
        ("November", 20),
    ]
