"""The events job on real Spark: from files of the raw zone to tables, each event once, whatever the files hold."""

from __future__ import annotations

import gzip
import json
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("pyspark", reason="pyspark is in requirements-dev.txt alone; make setup installs it")

from contracts.lake import LakeTable
from contracts.lake_tables.events import EVENT_TABLES
from spark_jobs.changes import AddNew
from spark_jobs.problems import JobFailed
from spark_jobs.run_record import RunRecord
from tests.transforms.desk import Desk, event

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.xdist_group("spark")
LIKE = "transformed.like"
ONLY_LIKES = ("--types", "like")


def like(id: str, occurred_at: str = "2026-11-18T08:20:00", **columns: Any) -> dict[str, Any]:
    return event("like", id, occurred_at, **{"user__id": f"u-{id}", "show__id": "s", "like__count": 1, **columns})


def ids(desk: Desk, table: str = LIKE) -> list[str]:
    return [row["event_id"] for row in desk.rows(table, "event_id", "occurred_at")]


# One window in which everything goes wrong that can, run twice.


class Messy:
    """A window of likes and follows with bad rows, bad files and repeats, and what two runs of it did."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        folder = "events/type=like/arrival=2026-11-18-08"
        desk.land("2026-11-18T08:30", [like("a"), like("a"), like("b", like__count=2)], name="1")
        desk.land("2026-11-18T08:40", [like("a"), like("late", "2026-11-15T23:59:59"), like("off", "2006-01-01T00:00")])
        good = (desk.raw / folder / "1.json.gz").read_bytes()
        desk.put(f"{folder}/cut.json.gz", good[:-12], compressed=True)
        desk.put(f"{folder}/no-gzip.json.gz", b'{"event_id":"x"}\n', compressed=True)
        desk.put(f"{folder}/empty.json.gz", b"", compressed=True)
        desk.put(f"{folder}/rows.json.gz", b'{"event_id": "c", "occ\n[1]\n{"like_count": "many", "event_id": "d"}\n\n')
        desk.land("2026-11-18T09:10", [event("follow", "f", "2026-11-18T09:00", follow__target_kind="show",
                                             follow__target_id="s", follow__action="follow")])  # fmt: skip
        self.first = desk.run("events", "2026-11-18T08", "2026-11-18T10")
        self.snapshots = desk.snapshots(LIKE)
        self.second = desk.run("events", "2026-11-18T08", "2026-11-18T10")


@pytest.fixture(scope="module")
def messy(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Messy:
    return Messy(Desk(spark=spark, raw=tmp_path_factory.mktemp("raw"), prefix=f"t{uuid.uuid4().hex[:8]}"))


def test_a_duplicate_event_is_counted_once(messy: Messy) -> None:
    assert ids(messy.desk) == ["a", "b", "late"]


def test_an_event_three_days_late_is_a_row_of_its_own_day(messy: Messy) -> None:
    days = messy.desk.spark.table(f"{messy.desk.name(LIKE)}.partitions").collect()
    assert {str(row["partition"][0]): row["record_count"] for row in days} == {"2026-11-15": 1, "2026-11-18": 2}


def test_every_refused_row_and_file_is_kept_with_its_reason(messy: Messy) -> None:
    found = messy.desk.table("personal.rejected_rows").groupBy("reason_code").count().collect()
    counts = {row["reason_code"]: row["count"] for row in found}
    assert counts == {"time_out_of_range": 1, "corrupt_file": 3, "malformed_row": 3}
    assert messy.first.rejected == counts


def test_a_corrupt_file_is_named_and_the_other_files_are_taken(messy: Messy) -> None:
    rows = messy.desk.table("personal.rejected_rows").where("reason_code = 'corrupt_file'").collect()
    assert {Path(row["file"]).name for row in rows} == {"cut.json.gz", "no-gzip.json.gz", "empty.json.gz"}
    assert {row["source"] for row in rows} == {"like"}
    assert all(row["original"] is None for row in rows)


def test_a_refused_row_is_found_by_its_file_and_its_event(messy: Messy) -> None:
    rows = messy.desk.table("personal.rejected_rows").where("event_id = 'off'").collect()
    assert [(row["column_name"], row["file"].startswith("events/type=like/")) for row in rows] == [
        ("occurred_at", True)
    ]
    assert json.loads(rows[0]["original"])["user_id"] == "u-off"


def test_what_was_read_is_what_was_kept_repeated_or_refused(messy: Messy) -> None:
    assert messy.first.rows_in == 10  # of the files that can be read; 2 of them repeat, 4 are refused
    assert messy.first.files_in == 7
    by_table = {outcome.table: outcome.rows_added for outcome in messy.first.tables}
    assert by_table[LIKE] == 3
    assert by_table["transformed.follow"] == 1


def test_a_second_run_adds_nothing_and_commits_nothing(messy: Messy) -> None:
    assert sum(outcome.rows_added for outcome in messy.second.tables) == 0
    assert messy.desk.snapshots(LIKE) == messy.snapshots
    assert messy.desk.table("personal.rejected_rows").count() == 7
    assert messy.desk.table("personal.event_details").count() == 3  # the follow holds nothing personal


def test_each_run_leaves_its_record(messy: Messy) -> None:
    rows = messy.desk.rows("transformed.job_runs", "started_at")
    assert [(row["status"], row["rows_in"], row["rows_rejected"], row["error"]) for row in rows] == [
        ("succeeded", 10, 7, None)
    ] * 2
    tables = {table["table"]: table for table in rows[0]["tables"]}
    assert tables[LIKE]["rows_now"] == 3
    assert tables[LIKE]["files_added"] == 2, "one file a day"


def test_shared_tables_hold_no_personal_value(messy: Messy) -> None:
    desk = messy.desk
    location = desk.location(LIKE)
    files = [path for path in location.rglob("*") if path.is_file()]
    assert any(path.suffix == ".parquet" for path in files)
    rows = desk.spark.read.option("recursiveFileLookup", "true").parquet(f"{location}/data").collect()
    metadata = desk.spark.table(f"{desk.name(LIKE)}.all_files").collect()
    shown = " ".join([str(rows), str(metadata), *(path.read_bytes().decode("latin-1") for path in files)])
    assert "u-a" not in shown
    assert "u-a" in str(desk.table("personal.event_details").collect()), "the test would see it"


def test_no_smallest_or_largest_personal_value_is_in_metadata(messy: Messy) -> None:
    files = messy.desk.spark.table(f"{messy.desk.name('personal.event_details')}.all_files")
    bounds = files.select("readable_metrics.user_id.lower_bound", "readable_metrics.user_key.lower_bound").collect()
    assert [row[0] for row in bounds] == [None] * len(bounds)
    assert all(row[1] for row in bounds)


# Windows after one another.


def test_a_duplicate_delivered_hours_later_is_still_counted_once(desk: Desk) -> None:
    desk.land("2026-11-18T23:50", [like("a", "2026-11-18T23:45"), like("b", "2026-11-18T23:46")])
    desk.run("events", "2026-11-18T23", "2026-11-19T00", *ONLY_LIKES)
    desk.land("2026-11-19T05:00", [like("a", "2026-11-18T23:45", like__count=9), like("c", "2026-11-18T23:47")])

    record = desk.run("events", "2026-11-19T05", "2026-11-19T06", *ONLY_LIKES)

    assert [(row["event_id"], row["like_count"]) for row in desk.rows(LIKE)] == [("a", 1), ("b", 1), ("c", 1)]
    assert _added(record, LIKE) == 1
    assert _added(record, "personal.event_details") == 1


def test_late_events_leave_the_files_of_other_days_as_they_are(desk: Desk) -> None:
    desk.land("2026-11-18T08:30", [like("a", "2026-11-18T08:00"), like("b", "2026-11-17T08:00")])
    desk.run("events", "2026-11-18T08", "2026-11-18T09", *ONLY_LIKES)
    before = set(desk.location(LIKE).rglob("*.parquet"))
    desk.land("2026-11-20T08:30", [like("c", "2026-11-17T09:00")])

    record = desk.run("events", "2026-11-20T08", "2026-11-20T09", *ONLY_LIKES)

    added = set(desk.location(LIKE).rglob("*.parquet")) - before
    assert [path.parent.name for path in added] == ["occurred_at_day=2026-11-17"]
    assert before <= set(desk.location(LIKE).rglob("*.parquet"))
    assert next(one for one in record.tables if one.table == LIKE).files_removed == 0


def test_an_hour_without_files_commits_nothing_and_leaves_a_record(desk: Desk) -> None:
    desk.land("2026-11-18T08:30", [like("a")])
    desk.run("events", "2026-11-18T08", "2026-11-18T09", *ONLY_LIKES)
    before = desk.snapshots(LIKE)

    record = desk.run("events", "2026-11-18T09", "2026-11-18T10", "--run-id", "empty-hour", *ONLY_LIKES)

    assert (record.files_in, record.rows_in, record.tables) == (0, 0, [])
    assert desk.snapshots(LIKE) == before
    (row,) = desk.table("transformed.job_runs").where("run_id = 'empty-hour'").collect()
    assert (row["status"], row["rows_in"], row["rows_out"]) == ("succeeded", 0, 0)


def test_a_contract_that_gains_a_column_still_reads_old_rows_and_old_files(desk: Desk) -> None:
    now = EVENT_TABLES["like"]
    older = LakeTable(
        name=now.name, version=1, owner=now.owner, description=now.description, grain=now.grain, key=now.key,
        columns=tuple(column for column in now.columns if column.name != "like_count"), partition=now.partition,
    )  # fmt: skip
    run = desk.prepared("events", "2026-11-18T08", "2026-11-18T09")
    old_row = "SELECT 'old' event_id, TIMESTAMP '2026-11-18 07:00:00' occurred_at"
    run.publish(older, AddNew(rows=desk.spark.sql(old_row)))
    assert "like_count" not in desk.table(LIKE).columns
    (path,) = desk.land("2026-11-18T08:30", [like("old-file")], name="old")
    line = json.loads(gzip.decompress(path.read_bytes()))
    del line["like_count"]
    desk.put(path.relative_to(desk.raw).as_posix(), json.dumps(line).encode())
    desk.land("2026-11-18T08:31", [like("new-file", like__count=4)], name="new")

    desk.run("events", "2026-11-18T08", "2026-11-18T09", *ONLY_LIKES)

    found = {row["event_id"]: row["like_count"] for row in desk.rows(LIKE)}
    assert found == {"old": None, "old-file": None, "new-file": 4}


# What fails, and what is left behind.


def test_a_type_that_fails_leaves_the_others_alone_and_is_named(desk: Desk) -> None:
    desk.land("2026-11-18T08:30", [like("a"), event("app_closed", "c", "2026-11-18T08:00")])
    desk.spark.sql(f"CREATE TABLE {desk.name('transformed.app_closed')} (event_id int) USING iceberg")

    with pytest.raises(JobFailed, match=r"^app_closed: column 'event_id' of transformed.app_closed is int"):
        desk.run("events", "2026-11-18T08", "2026-11-18T09", "--run-id", "one-fails")

    assert ids(desk) == ["a"]
    assert ids(desk, "personal.event_details") == ["a"]
    (row,) = desk.table("transformed.job_runs").collect()
    assert row["status"] == "failed"
    assert "app_closed" in row["error"]


class Killed(BaseException):
    """Stands for the end of the process: nothing in the job catches it."""


@pytest.mark.parametrize("point", ["before writing", "written, not published", "shared published, details not"])
def test_a_run_that_was_killed_and_run_again_gives_the_same_table(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    desk.land("2026-11-18T08:30", [like("a"), like("a"), like("b")])
    window = ("2026-11-18T08", "2026-11-18T09", *ONLY_LIKES, "--run-id", "same")

    def kill(*_: object, **__: object) -> None:
        raise Killed

    where = {
        "before writing": "spark_jobs.publishing.expectations.expect_of_rows",
        "written, not published": "spark_jobs.publishing.expectations.expect_of_counts",
        "shared published, details not": "spark_jobs.jobs.events._take_details",
    }[point]
    with monkeypatch.context() as during:
        during.setattr(where, kill)
        during.setattr(RunRecord, "keep", lambda *_, **__: None)
        with pytest.raises(Killed):
            desk.run("events", *window)
    if "details" not in point:
        assert ids(desk) == []

    desk.run("events", *window)

    assert ids(desk) == ["a", "b"]
    assert ids(desk, "personal.event_details") == ["a", "b"]
    refs = desk.spark.table(f"{desk.name(LIKE)}.refs").collect()
    assert [row["name"] for row in refs] == ["main"]


def _added(record: RunRecord, table: str) -> int:
    return next(outcome.rows_added for outcome in record.tables if outcome.table == table)
