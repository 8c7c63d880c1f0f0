"""Maintenance on real Iceberg tables: what goes, what stays, and what a neighbour's table notices of it."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

pytest.importorskip("pyspark", reason="pyspark is in requirements-dev.txt alone; make setup installs it")

from pyspark.sql import DataFrame

from contracts import lake_tables
from contracts.datasets import UPLOADS
from contracts.lake import LakeTable
from contracts.lake_tables.datasets import all_of
from spark_jobs.arguments import WrongArguments
from spark_jobs.changes import AddNew
from spark_jobs.job import Run
from spark_jobs.jobs import maintenance
from tests.transforms.desk import Desk
from tests.transforms.frames import frame

pytestmark = pytest.mark.xdist_group("spark")

LIKE = lake_tables.by_name("transformed.like")
WINDOW = ("2026-11-18T00", "2026-11-19T00")


def test_a_window_in_the_future_is_refused_and_makes_no_row_older(desk: Desk) -> None:
    run = desk.prepared("events", *WINDOW)
    _likes(desk, run, day="2026-11-17", number=1)

    with pytest.raises(WrongArguments, match="its last hours have not begun"):
        desk.run("maintenance", "2062-11-18T00", "2062-11-19T00")

    assert [row["event_id"] for row in desk.rows("transformed.like", "event_id")] == ["e1"]


def _likes(desk: Desk, run: Run, *, day: str, number: int) -> None:
    row = {"event_id": f"e{number}", "event_type": "like", "occurred_at": f"{day} 10:00:00.000", "show_id": "s"}
    run.publish(LIKE, AddNew(rows=frame(desk.spark, LIKE, [row]), by_day="occurred_at"))


def _data_files(desk: Desk) -> DataFrame:
    return desk.spark.table(f"{desk.name('transformed.like')}.files")


def test_small_files_old_rows_old_snapshots_and_orphans_go_and_everything_else_stays(desk: Desk) -> None:
    run = desk.prepared("events", *WINDOW)
    for number, day in enumerate(("2026-11-17", "2026-11-17", "2026-11-17", "2026-11-18", "2023-11-01")):
        _likes(desk, run, day=day, number=number)
    upload = all_of(UPLOADS, folder="like")
    values = {"source_file": "f", "source_row": 0, "file_changed_at": "2026-11-18 00:00:00"}
    run.publish(upload, AddNew(rows=frame(desk.spark, upload, [values])))
    home = desk.location("transformed.like")
    orphan, young = home / "data" / "left-behind.parquet", home / "data" / "being-written.parquet"
    neighbour = home.with_name("like_more") / "data" / "another-table.parquet"
    for path in (orphan, young, neighbour):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"PAR1")
    for path in (orphan, neighbour):
        _age(path, days=4)

    record = desk.run("maintenance", *WINDOW, "--snapshot-days", "0")

    assert [row["event_id"] for row in desk.rows("transformed.like", "event_id")] == ["e0", "e1", "e2", "e3"]
    assert sorted(row["record_count"] for row in _data_files(desk).collect()) == [1, 3]
    assert desk.snapshots("transformed.like") == 1
    assert not orphan.exists()
    assert young.exists()
    assert neighbour.exists()
    kept = {outcome.table: outcome for outcome in record.tables}
    assert {"transformed.like", "personal.batch_uploads_like"} == set(kept)
    like = kept["transformed.like"]
    assert isinstance(like, maintenance.Kept)
    assert (like.rows_removed, like.orphans_removed) == (1, 1)
    assert (like.files_before, like.files_removed, like.files_added, like.files_now) == (5, 3, 1, 2)
    assert like.snapshots_before >= 5
    assert like.snapshots_now == 1
    assert 0 < like.bytes_now < like.bytes_before
    told = desk.table("transformed.job_runs").where("job = 'maintenance'").selectExpr("inline(tables)").collect()
    assert {row["table"]: row["snapshots_before"] for row in told}["transformed.like"] == like.snapshots_before


def test_snapshots_that_running_queries_may_read_stay(desk: Desk) -> None:
    run = desk.prepared("events", *WINDOW)
    for number in range(2):
        _likes(desk, run, day="2026-11-18", number=number)
    snapshots = desk.spark.table(f"{desk.name('transformed.like')}.snapshots")
    first = snapshots.where("summary['total-records'] = '1'").first()
    assert first is not None

    desk.run("maintenance", *WINDOW)

    before = desk.spark.read.option("snapshot-id", first["snapshot_id"]).table(desk.name("transformed.like"))
    assert [row["event_id"] for row in before.collect()] == ["e0"]


def test_a_table_that_fails_does_not_stop_the_others(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    done = []

    def maintain(_: Run, table: LakeTable) -> None:
        if table.name == "like":
            raise OSError("broken")
        done.append(table.full_name)

    monkeypatch.setattr(maintenance, "maintain", maintain)
    monkeypatch.setattr(maintenance, "tables", lambda _: [LIKE, lake_tables.by_name("transformed.sessions")])

    with pytest.raises(RuntimeError, match=r"transformed\.like: OSError"):
        desk.run("maintenance", *WINDOW)

    assert done == ["transformed.sessions"]


def test_every_table_that_keeps_rows_for_some_days_says_by_a_partition_how_old_they_are() -> None:
    for table in lake_tables.LAKE_TABLES:
        if table.retention_days is not None:
            assert maintenance.age_column(table) in table.column


def _age(path: Path, *, days: int) -> None:
    then = time.time() - days * 86_400
    os.utime(path, (then, then))
