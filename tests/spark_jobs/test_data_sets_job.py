"""Versions of data sets: what a run leaves, that it stays, and what becomes of a run that was killed."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("duckdb", reason="duckdb is in requirements-dev.txt alone; make setup installs it")
pytest.importorskip("pyspark", reason="pyspark is in requirements-dev.txt alone; make setup installs it")

import boto3
import duckdb
from moto import mock_aws

from contracts.data_sets import DataSet
from contracts.lake_tables.data_sets import DATA_SETS, MODERATION, SHOW_RECOMMENDATION
from contracts.lake_tables.events import EVENT_TABLES
from spark_jobs.data_set_versions import SourceFile, Versions
from spark_jobs.jobs import data_sets
from tests.transforms import model_events
from tests.transforms.desk import Desk
from tests.transforms.frames import Row, frame

pytestmark = pytest.mark.xdist_group("spark")

WINDOW = ("2026-10-26", "2026-11-10")


class Killed(BaseException):
    """What ends a process stands for."""


@pytest.fixture
def rows_are_given(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> list[Row]:
    """The rows of `moderation`, as many as reports say, in place of those that are dear to work out."""
    given = [
        {"report_id": f"r-{number}", "as_of": f"2026-11-01 0{number}:00:00", "split": split, "time_split": "test"}
        for number, split in enumerate(("train", "train", "test"))
    ]
    monkeypatch.setitem(data_sets.MADE, MODERATION, lambda *_: frame(desk.spark, MODERATION, given))
    return given


def make(desk: Desk, data_set: DataSet = MODERATION, window: tuple[str, str] = WINDOW) -> str:
    """Make a version, and give its name."""
    return data_sets.make(desk.prepared("data_sets", *window), data_set)


def folder(desk: Desk, data_set: DataSet = MODERATION) -> Path:
    return desk.transformed / "data_sets" / data_set.name


def manifest(desk: Desk, version: str, data_set: DataSet = MODERATION) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder(desk, data_set) / version / "manifest.json").read_text())
    return found


def contents(below: Path) -> dict[str, bytes]:
    return {path.relative_to(below).as_posix(): path.read_bytes() for path in below.rglob("*") if path.is_file()}


def arrive(desk: Desk, events: Mapping[str, Sequence[Row]]) -> None:
    """Events, into their tables."""
    for name, rows in events.items():
        run = desk.prepared("events", *WINDOW)
        held = frame(desk.spark, EVENT_TABLES[name], rows)
        run.lake.ensure(EVENT_TABLES[name], held.schema)
        held.writeTo(run.lake.name(EVENT_TABLES[name])).append()


@pytest.mark.campaign
def test_a_version_holds_the_rows_and_says_what_they_follow_from(desk: Desk, rows_are_given: list[Row]) -> None:
    arrive(desk, {"content_report": model_events.REPORTS["content_report"]})

    version = make(desk)

    said = manifest(desk, version)
    assert said["period"] == {"start": "2026-10-26T00:00:00Z", "until": "2026-11-02T00:00:00Z"}
    assert (said["rows"], said["rows_by_split"]) == (
        3,
        [{"split": "test", "time_split": "test", "rows": 1}, {"split": "train", "time_split": "test", "rows": 2}],
    )
    snapshots = {one["table"]: one["snapshot_id"] for one in said["sources"]}
    assert snapshots.pop("transformed.content_report") > 0
    assert set(snapshots.values()) == {None}, "tables that there are not"
    assert [column["name"] for column in said["definition"]["columns"]] == list(MODERATION.column)
    found = []
    for file in said["files"]:
        path = folder(desk) / version / file["path"]
        assert file["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
        found += duckdb.read_parquet(str(path)).project("report_id, split").fetchall()
    assert sorted(found) == sorted((row["report_id"], row["split"]) for row in rows_are_given)
    assert desk.table("transformed.moderation").count() == 3


def test_equal_inputs_give_the_version_that_there_is_and_others_another(desk: Desk, rows_are_given: list[Row]) -> None:
    first = make(desk)
    before, snapshots = contents(folder(desk)), desk.snapshots("transformed.moderation")

    assert make(desk) == first
    assert contents(folder(desk)) == before
    assert desk.snapshots("transformed.moderation") == snapshots

    assert make(desk, window=("2026-10-26", "2026-11-11")) != first
    arrive(desk, {"content_report": model_events.REPORTS["content_report"]})
    rows_are_given.append({**rows_are_given[0], "report_id": "r-9"})
    after_more = make(desk)
    assert manifest(desk, after_more)["rows"] == 4
    kept = {name: content for name, content in contents(folder(desk)).items() if name in before}
    assert kept == before, "a version stays as it is"


@pytest.mark.parametrize("killed_at", [pytest.param("_copied", marks=pytest.mark.campaign), "publish"])
def test_a_killed_run_leaves_no_version_and_the_next_completes_it(
    desk: Desk, rows_are_given: list[Row], monkeypatch: pytest.MonkeyPatch, killed_at: str
) -> None:
    def die(*_: Any, **__: Any) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(Versions, killed_at, die)
        with pytest.raises(Killed):
            make(desk)
    assert not [name for name in contents(desk.transformed) if name.endswith("manifest.json")]
    snapshots = desk.snapshots("transformed.moderation")

    version = make(desk)

    listed = {file["path"] for file in manifest(desk, version)["files"]}
    assert set(contents(folder(desk) / version)) == {"manifest.json", *listed}, "nothing is there twice"
    assert desk.snapshots("transformed.moderation") == snapshots


def test_what_a_killed_run_left_is_removed_when_it_is_old_and_versions_are_not(
    desk: Desk, rows_are_given: list[Row]
) -> None:
    version = make(desk)
    old = (datetime.now(UTC) - timedelta(days=4)).timestamp()
    for name, changed_at in (("0000000000000001", old), ("0000000000000002", None)):
        left = folder(desk) / name / "1" / "part-00000.parquet"
        left.parent.mkdir(parents=True)
        left.write_bytes(b"half")
        if changed_at:
            os.utime(left, (changed_at, changed_at))
    for path in (folder(desk) / version).rglob("*"):
        os.utime(path, (old, old))

    make(desk)

    assert {name.partition("/")[0] for name in contents(folder(desk))} == {version, "0000000000000002"}


def test_imported_history_counts_from_when_it_happened_only_where_that_is_asked_for(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of it arrived long after it happened."""
    late = [{**row, "arrived_at": "2026-12-01 00:00:00"} for row in model_events.REPORTS["content_report"]]
    arrive(desk, {"content_report": late})
    delays: list[int] = []

    def looked_at(events: Mapping[str, Any], _: object) -> Any:
        delays.append(events["content_report"].where("arrived_at > occurred_at").count())
        return frame(desk.spark, MODERATION, [])

    monkeypatch.setitem(data_sets.MADE, MODERATION, looked_at)
    given = [desk.prepared("data_sets", *WINDOW, *more) for more in ((), ("--trust-event-time",))]

    assert len({data_sets.make(run, MODERATION) for run in given}) == 2, "what is taken for known is part of a version"
    assert delays == [len(late), 0]


def test_a_window_without_a_settled_moment_is_refused_by_name(desk: Desk) -> None:
    with pytest.raises(ValueError, match="show_recommendation: from 2026-11-02T00 on no moment has labels"):
        make(desk, SHOW_RECOMMENDATION, ("2026-10-28", "2026-11-09"))


def test_in_s3_a_manifest_is_written_once_by_whoever_is_first(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (
        ("AWS_ACCESS_KEY_ID", "x"),
        ("AWS_SECRET_ACCESS_KEY", "x"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
    ):
        monkeypatch.setenv(name, value)
    with mock_aws():
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket="transformed")
        s3.put_object(Bucket="transformed", Key="transformed/moderation/data/a b.parquet", Body=b"rows")
        versions = Versions(root="s3://transformed/", data_set=MODERATION)
        source = SourceFile(uri="s3://transformed/transformed/moderation/data/a b.parquet", split="test", rows=1)

        assert versions.manifest("0123") is None
        files = versions.copy([source], version="0123", snapshot_id=7)
        assert versions.publish("0123", {"files": files, "run_id": "first"})
        assert not versions.publish("0123", {"files": [], "run_id": "second"})

        said = versions.manifest("0123")
        assert said is not None
        assert (said["run_id"], [file["path"] for file in said["files"]]) == ("first", ["7/part-00000.parquet"])
        copied = s3.get_object(Bucket="transformed", Key="data_sets/moderation/0123/7/part-00000.parquet")
        assert copied["Body"].read() == b"rows"
        assert versions.remove_abandoned(older_than=datetime.now(UTC) + timedelta(days=1)) == []


@pytest.mark.campaign
def test_a_run_makes_both_data_sets_from_the_lake_s_tables(desk: Desk) -> None:
    arrive(desk, model_events.LISTENING)
    arrive(desk, {name: model_events.REPORTS[name] for name in ("content_report", "moderation_decision")})

    record = desk.run("data_sets", *WINDOW, "--accept-stale")

    assert [(outcome.table, outcome.rows_added) for outcome in record.tables] == [
        ("transformed.show_recommendation", 10),
        ("transformed.moderation", 0),
    ], "the reports came later"
    for data_set in DATA_SETS:
        (version,) = (path.name for path in folder(desk, data_set).iterdir())
        made = manifest(desk, version, data_set)
        assert made["rows"] == desk.table(data_set.full_name).count()
