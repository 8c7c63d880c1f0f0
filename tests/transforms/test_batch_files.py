"""Batch files on real Spark: what is taken, what is refused and why, and how tables follow files and schemas."""

from __future__ import annotations

import gzip
import os
from collections.abc import Mapping
from typing import Any

import pytest

pytest.importorskip("duckdb", reason="duckdb is in requirements-dev.txt alone; make setup installs it")
pytest.importorskip("pyspark", reason="pyspark is in requirements-dev.txt alone; make setup installs it")

import duckdb

from contracts.datasets import UPLOADS, Format, by_name
from spark_jobs.file_formats import HEAD_BYTES, wrong_format
from spark_jobs.jobs import batch_files as job
from spark_jobs.problems import JobFailed
from spark_jobs.raw_catalog import RawTable, raw_tables
from spark_jobs.run_record import RunRecord
from tests.transforms.desk import TOPIC_ARN, Desk
from transforms import batch_files

pytestmark = pytest.mark.xdist_group("spark")

SHOWS = {"show_id": "string", "title": "string", "topics": "array<string>", "creator_id": "string", "plays": "int"}
CATALOG = {"show_id": "string", "category": "string", "featured": "boolean", "editorial_note": "string"}
USERS = {"user_id": "string", "plan": "string", "country": "string", "email": "string"}


def crawled(dataset: str, columns: Mapping[str, str], **parameters: str) -> RawTable:
    return RawTable(
        name=f"batch_{dataset}", location=f"s3://raw/batch/{dataset}/", columns=columns, parameters=parameters
    )


def take(desk: Desk, *catalog: RawTable) -> RunRecord:
    return desk.run("batch_files", "2026-11-18T00", "2026-11-19T00", body=lambda run: job.take(run, catalog))


def rows(desk: Desk, table: str, *columns: str) -> list[tuple[Any, ...]]:
    found = desk.table(table).orderBy("source_file", "source_row").select(*columns)
    return [tuple(row) for row in found.collect()]


def refused(desk: Desk) -> list[tuple[str, str, str | None]]:
    found = desk.table("personal.rejected_rows").orderBy("file", "reason_code", "column_name", "original")
    return [(row["file"].removeprefix("batch/"), row["reason_code"], row["column_name"]) for row in found.collect()]


def test_every_file_and_row_that_can_be_taken_is_taken_and_the_rest_is_refused_with_a_reason(desk: Desk) -> None:
    good = '{"show_id": "s1", "title": "Nacht „夜“", "topics": ["a"], "creator_id": "u-1", "plays": 3}\n'.encode()
    desk.put(
        "batch/shows/a.json.gz",
        good
        + b'\n{"show_id": "s2", "plays": "many"}\n{"show_id": "s3", "plays": 4\n{"title": "of none"}\n'
        + b'{"show_id": "s4"}{"show_id": "s5"}\n{"Show_ID": "s6", "plays": null, "topics": null}\n',
    )
    desk.put("batch/shows/cut.json.gz", gzip.compress(good * 2000)[:-200], compressed=True)
    desk.put("batch/shows/page.json", b"<!doctype html><title>Sign in</title>")
    desk.put("batch/shows/list.json", b'[{"show_id": "s7"}]')
    desk.put("batch/shows/_SUCCESS", b"")
    desk.put(
        "batch/catalog/c.csv",
        '\ufeffShow_ID,category,featured,editorial_note\r\n"s1",news,true,"says ""hi"",\r\nthen goes"\r\n'
        's2,talk,perhaps,\r\ns3,talk\r\n\r\ns4,"",,x\r\n'.encode(),
    )
    desk.put("batch/catalog/book.csv", b"PK\x03\x04" + b"\0" * 50)
    desk.put("batch/catalog/plain.csv.gz", b"show_id,category", compressed=True)
    desk.put("batch/catalog/latin.csv", "show_id,category\ns1,Gespr\u00e4ch\n".encode("latin-1"))
    duckdb.sql(
        "SELECT 'u-1' AS creator_id, DATE '2026-01-02' AS joined_on, true AS verified, 1::TINYINT AS n"
    ).write_parquet(str(desk.put("batch/creators/p.parquet", b"")))
    desk.put("batch/creators/broken.parquet", b"PAR1 and no more")

    record = take(
        desk,
        crawled("shows", SHOWS),
        crawled("catalog", CATALOG, delimiter=","),
        crawled("creators", {"creator_id": "string", "joined_on": "date", "verified": "boolean", "n": "tinyint"}),
    )

    assert rows(desk, "personal.batch_shows", "source_row", "show_id", "title", "topics", "plays") == [
        (0, "s1", "Nacht „夜“", ["a"], 3),
        (6, "s6", None, None, None),
    ]
    assert rows(desk, "personal.batch_catalog", "source_row", "show_id", "category", "featured", "editorial_note") == [
        (0, "s1", "news", True, 'says "hi",\nthen goes'),
        (3, "s4", None, None, "x"),
    ]
    creators = rows(desk, "personal.batch_creators", "creator_id", "verified", "n")
    assert creators == [("u-1", True, 1)]
    assert refused(desk) == [
        ("catalog/book.csv", "wrong_format", None),
        ("catalog/c.csv", "malformed_row", None),
        ("catalog/c.csv", "wrong_type", "featured"),
        ("catalog/latin.csv", "wrong_format", None),
        ("catalog/plain.csv.gz", "corrupt_file", None),
        ("creators/broken.parquet", "corrupt_file", None),
        ("shows/a.json.gz", "malformed_row", None),
        ("shows/a.json.gz", "malformed_row", None),
        ("shows/a.json.gz", "missing_column", "show_id"),
        ("shows/a.json.gz", "wrong_type", "plays"),
        ("shows/cut.json.gz", "corrupt_file", None),
        ("shows/list.json", "wrong_format", None),
        ("shows/page.json", "wrong_format", None),
    ]
    assert record.rejected == {
        "wrong_format": 4,
        "malformed_row": 3,
        "wrong_type": 2,
        "corrupt_file": 3,
        "missing_column": 1,
    }
    shared = desk.table("transformed.batch_shows")
    assert "plays" not in shared.columns
    assert "creator_id" not in shared.columns
    (first, second) = shared.orderBy("source_row").collect()
    assert len(first["creator_key"]) == 32
    assert second["creator_key"] is None
    keyed = desk.table("transformed.batch_creators").select("creator_key").first()
    assert keyed is not None
    assert keyed["creator_key"] == first["creator_key"]

    before = {name: desk.snapshots(f"{zone}.{name}") for zone, name in _TABLES}
    take(desk, crawled("shows", SHOWS), crawled("catalog", CATALOG), crawled("creators", {"creator_id": "string"}))
    assert {name: desk.snapshots(f"{zone}.{name}") for zone, name in _TABLES} == before
    assert len(refused(desk)) == 13


_TABLES = (("personal", "batch_shows"), ("transformed", "batch_catalog"), ("personal", "rejected_rows"))


@pytest.mark.campaign
def test_a_table_follows_its_files_and_what_the_catalog_finds_in_them(desk: Desk) -> None:
    desk.put("batch/shows/1.json", b'{"show_id": "s1", "plays": 1}\n{"show_id": "s2", "plays": 5000000000}\n')
    desk.put("batch/shows/2.json", b'{"show_id": "s3", "mood": "calm"}\n')
    desk.put("batch/shows/3.json", b'{"show_id": "s4"}\n')
    take(desk, crawled("shows", {"show_id": "string", "plays": "int"}))
    assert rows(desk, "personal.batch_shows", "show_id", "plays") == [("s1", 1), ("s3", None), ("s4", None)]

    # The column widens and another one is found: values of files that were read before are there too.
    (desk.raw / "batch/shows/3.json").unlink()
    take(desk, crawled("shows", {"show_id": "string", "plays": "bigint", "mood": "string"}))
    assert rows(desk, "personal.batch_shows", "show_id", "plays", "mood") == [
        ("s1", 1, None), ("s2", 5_000_000_000, None), ("s3", None, "calm"),
    ]  # fmt: skip
    assert rows(desk, "transformed.batch_shows", "show_id") == [("s1",), ("s2",), ("s3",)]
    assert "mood" not in desk.table("transformed.batch_shows").columns

    # The column becomes text in a new file: the table keeps its numbers and refuses what is none.
    desk.put("batch/shows/4.json", b'{"show_id": "s5", "plays": "lots"}\n{"show_id": "s6", "plays": "7"}\n')
    changed = desk.put("batch/shows/2.json", b'{"show_id": "s3b"}\n')
    os.utime(changed, (2_000_000_000, 2_000_000_000))
    take(desk, crawled("shows", {"show_id": "string", "plays": "string", "mood": "string"}))
    assert rows(desk, "personal.batch_shows", "show_id", "plays") == [
        ("s1", 1), ("s2", 5_000_000_000), ("s3b", None), ("s6", 7),
    ]  # fmt: skip
    reasons = [row["reason"] for row in desk.table("personal.rejected_rows").where("original LIKE '%lots%'").collect()]
    assert len(reasons) == 1
    assert "bigint" in reasons[0]
    assert "string" in reasons[0]
    assert "lots" not in reasons[0]


@pytest.mark.campaign
def test_a_column_that_a_failed_run_made_is_still_filled_from_every_file(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.put("batch/catalog/a.csv", b"show_id,category,city\ns1,news,Linz\n")
    narrow, wide = (
        {"show_id": "string", "category": "string"},
        {"show_id": "string", "category": "string", "city": "string"},
    )
    take(desk, crawled("catalog", narrow, delimiter=","))
    with monkeypatch.context() as failing:
        failing.setattr("spark_jobs.publishing.plan", _fail)
        with pytest.raises(JobFailed, match="RuntimeError; the log says more"):
            take(desk, crawled("catalog", wide, delimiter=","))
    assert "city" in desk.table("personal.batch_catalog").columns

    take(desk, crawled("catalog", wide, delimiter=","))

    assert rows(desk, "personal.batch_catalog", "show_id", "city") == [("s1", "Linz")]
    assert take(desk, crawled("catalog", wide, delimiter=",")).rows_in == 0, "then nothing is read again"


def _fail(*_: Any) -> None:
    raise RuntimeError("the run ends here")


@pytest.mark.campaign
def test_readers_of_a_withdrawn_dataset_are_told_once_and_its_tables_stay(desk: Desk) -> None:
    path = desk.put("batch/user_profiles/u.csv", b"user_id,plan,country,email\nu-1,free,AT,a@b.example\n")
    there = crawled("user_profiles", USERS)
    take(desk, there)
    path.unlink()

    take(desk, crawled("user_profiles", USERS, DEPRECATED_BY_CRAWLER="1763424000000"))
    take(desk, crawled("user_profiles", USERS, DEPRECATED_BY_CRAWLER="1763424000000"))

    ((topic, subject, text),) = desk.notices
    assert topic == TOPIC_ARN
    assert "personal.batch_user_profiles" in subject
    assert "transformed.batch_user_profiles" in subject
    assert "accounts team" in text
    assert rows(desk, "personal.batch_user_profiles", "user_id") == [("u-1",)]
    assert rows(desk, "transformed.batch_user_profiles", "plan") == [("free",)]
    assert _mark(desk) == "2026-11-19T00:00:00Z"

    desk.put("batch/user_profiles/v.csv", b"user_id,plan\nu-2,paid\n")
    take(desk, there)
    assert rows(desk, "personal.batch_user_profiles", "user_id", "email") == [("u-2", None)]
    assert _mark(desk) is None
    assert len(desk.notices) == 1


def _mark(desk: Desk) -> str | None:
    shown = desk.spark.sql(f"SHOW TBLPROPERTIES {desk.name('transformed.batch_user_profiles')}")
    return {row["key"]: row["value"] for row in shown.collect()}.get(job.WITHDRAWN)


def test_each_folder_of_uploads_becomes_a_table_whatever_it_is_called_and_holds(desk: Desk) -> None:
    desk.put(
        "batch/uploads/My Folder/day=2026-11-18/a [1] 50%.json", '{"Straße": "x", "in": {"A": 1}, "n": [1]}\n'.encode()
    )
    desk.put("batch/uploads/My Folder/day=2026-11-19/b.csv.gz", "Straße;n\ny;[2]\n".encode())
    desk.put("batch/uploads/plain/rows.csv", b"1;x\n2;y\n")
    desk.put("batch/uploads/stray.csv", b"a\n1\n")
    desk.put("batch/uploads/plain/readme.txt", b"hello")
    mine = RawTable(
        name="batch_uploads_my_folder",
        location="s3://raw/batch/uploads/My Folder/",
        columns={"straße": "string", "in": "struct<A:int>", "n": "array<smallint>", "day": "date"},
        keys=("day",),
        parameters={"field.delim": ";"},
    )
    plain = RawTable(
        name="batch_uploads_plain",
        location="s3://raw/batch/uploads/plain/",
        columns={"col0": "bigint", "col1": "string"},
        parameters={"delimiter": ";"},
    )

    take(desk, mine, plain)

    found = desk.table("personal.batch_uploads_my_folder").selectExpr("`straße`", "`in`", "n", "string(day)")
    assert sorted(tuple(row) for row in found.collect()) == [
        ("x", '{"A":1}', [1], "2026-11-18"),
        ("y", None, [2], "2026-11-19"),
    ]
    assert rows(desk, "personal.batch_uploads_plain", "col0", "col1") == [(1, "x"), (2, "y")]
    assert refused(desk) == [
        ("uploads/plain/readme.txt", "wrong_format", None),
        ("uploads/stray.csv", "wrong_format", None),
    ]


@pytest.mark.campaign
def test_files_without_a_table_of_a_crawler_wait_for_it_unless_none_can_be_made_of_them(desk: Desk) -> None:
    desk.put("batch/uploads/page/a.parquet", b"<html>Sign in</html>")
    desk.put("batch/uploads/cut/a.json.gz", gzip.compress(b'{"n": 1}\n' * 5000)[:-20], compressed=True)
    desk.put("batch/uploads/new/a.json", b'{"n": 1}\n')
    desk.put("batch/uploads/new/none.json", b"")
    desk.put("batch/uploads/narrow/a.csv", b"id\n1\n2\n")
    desk.put("batch/uploads/narrow/none.csv", b"")
    desk.put("batch/uploads/header/a.csv.gz", b"a;b\n")
    desk.put("batch/shows/a.json", b'{"show_id": "s1"}\n')

    for _ in range(2):
        take(desk)

    assert refused(desk) == [
        ("uploads/cut/a.json.gz", "corrupt_file", None),
        ("uploads/header/a.csv.gz", "wrong_format", None),
        ("uploads/narrow/a.csv", "wrong_format", None),
        ("uploads/narrow/none.csv", "wrong_format", None),
        ("uploads/page/a.parquet", "wrong_format", None),
    ]
    assert not desk.spark.catalog.tableExists(desk.name("personal.batch_uploads_new"))


@pytest.mark.campaign
def test_a_run_that_ended_before_the_shared_table_is_completed_by_the_next(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.put("batch/catalog/c.csv", b"show_id,category\ns1,news\n")

    def killed(*_: object) -> None:
        raise MemoryError("killed")

    with monkeypatch.context() as patched:
        patched.setattr(job, "_share", killed)
        with pytest.raises(JobFailed, match=r"personal\.batch_catalog: MemoryError"):
            take(desk, crawled("catalog", CATALOG))
    assert rows(desk, "personal.batch_catalog", "show_id") == [("s1",)]

    take(desk, crawled("catalog", CATALOG))

    assert rows(desk, "transformed.batch_catalog", "show_id", "category") == [("s1", "news")]


@pytest.mark.parametrize(
    ("content", "format_", "said"),
    [
        (b'{"a": 1}\n', Format.JSON, None),
        (b'\xef\xbb\xbf{"a": 1}\n', Format.JSON, None),
        (b"", Format.CSV, None),
        (b"a,b\n", Format.CSV, None),
        (b"\x1f\x8b\x08", Format.JSON, "gzip"),
        (b"PAR1", Format.CSV, "Parquet"),
        (b"a,b\n", Format.PARQUET, "text"),
        (b'{"a": 1}', Format.CSV, "JSON"),
        (b"<html>", Format.CSV, "markup"),
        (b"a,b\n\xff", Format.CSV, "UTF-8"),
        (b"a\0b", Format.JSON, "binary"),
    ],
)
def test_a_file_is_told_by_its_first_bytes(content: bytes, format_: Format, said: str | None) -> None:
    found = wrong_format(content, format_)

    assert found is None if said is None else said in (found or "")


def test_the_head_of_a_long_file_may_end_within_a_character() -> None:
    assert wrong_format(("a" * (HEAD_BYTES - 1) + "é").encode()[:HEAD_BYTES], Format.CSV) is None


def test_types_of_the_catalog_become_types_that_the_lake_knows() -> None:
    assert batch_files.column_type("array<smallint>") == "array<int>"
    assert batch_files.column_type("varchar(20)") == "string"
    assert batch_files.column_type("float") == "double"
    assert batch_files.column_type("decimal(10,2)") == "decimal(10,2)"
    assert batch_files.column_type("struct<a:int>") == "string"
    assert batch_files.column_type("uniontype<int,string>") == "string"


def test_folders_with_long_names_become_tables_of_their_own(desk: Desk) -> None:
    first, second = "x" * 150, "x" * 149 + "y"
    for folder in (first, second):
        desk.put(f"batch/uploads/{folder}/a.csv", b"n\n1\n")
    found = job.drops(desk.prepared("batch_files", "2026-11-18T00", "2026-11-19T00"), UPLOADS, [])
    names = {drop.table.name for drop in found}
    assert len(names) == 2
    assert {len(name) for name in names} == {len("batch_uploads_") + 100}


def test_names_that_become_equal_are_told_apart() -> None:
    assert batch_files.column_names(["A b", "a_b", "a-b", "source_file", "名前"]) == [
        "a_b", "a_b_2", "a_b_3", "source_file_", "名前",
    ]  # fmt: skip


def test_a_declared_column_keeps_its_declared_type_whatever_the_catalog_says() -> None:
    dataset = by_name("catalog")
    assert dataset is not None

    wanted = batch_files.wanted_columns(
        dataset, crawled={"featured": "string", "extra": "int"}, table={}, widens=lambda _have, _sees: False
    )

    assert {one.name: one.type for one in wanted} == {
        "show_id": "string",
        "category": "string",
        "featured": "boolean",
        "editorial_note": "string",
        "extra": "int",
    }


def test_the_raw_catalog_is_read_page_by_page() -> None:
    class Glue:
        def get_paginator(self, operation: str) -> Glue:
            assert operation == "get_tables"
            return self

        def paginate(self, **asked: str) -> list[dict[str, Any]]:
            assert asked == {"DatabaseName": "amp_dev_raw"}
            column = {"Name": "a", "Type": "int"}
            table = {
                "Name": "batch_shows",
                "StorageDescriptor": {
                    "Columns": [column],
                    "Location": "s3://raw/batch/shows/",
                    "SerdeInfo": {"Parameters": {"field.delim": ";"}},
                },
                "PartitionKeys": [{"Name": "day", "Type": "string"}],
                "Parameters": {"DEPRECATED_BY_CRAWLER": "1763424000000"},
            }
            return [{"TableList": [table]}, {"TableList": []}]

    (table,) = raw_tables(Glue(), "amp_dev_raw")

    assert table.columns == {"a": "int", "day": "string"}
    assert table.keys == ("day",)
    assert table.parameters["field.delim"] == ";"
    assert table.deprecated_at_ms == 1_763_424_000_000
