"""Publishing on real Iceberg tables: what each change does, what is refused, and what readers see meanwhile."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("pyspark", reason="pyspark is in requirements-dev.txt alone; make setup installs it")

from pyspark.sql import functions as F  # noqa: N812

from contracts.lake import LakeTable, Zone
from contracts.lake_tables import by_name
from contracts.model import Column
from spark_jobs import expectations, planning
from spark_jobs.changes import AddNew, Change, Replace, Upsert
from spark_jobs.expectations import Refused
from spark_jobs.job import Run
from spark_jobs.lake import WrongTable, widens
from spark_jobs.problems import JobFailed
from tests.transforms.desk import Desk

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

pytestmark = pytest.mark.xdist_group("spark")
WINDOW = ("show_statistics", "2026-11-18T00", "2026-11-19T00")


def table(*more: Column, **other: Any) -> LakeTable:
    """A small table: counts by day and name."""
    return LakeTable(
        **{
            "name": "counts", "version": 1, "owner": "tests", "description": "Counts.", "grain": "one row for each",
            "columns": (
                Column(path="day", type="date", description="The day."),
                Column(path="name", type="string", description="What is counted."),
                Column(path="count", type="bigint", description="How many there are."),
                *more,
            ),
            "key": ("day", "name"), "partition": ("day",), "sort": ("name",), **other,
        }
    )  # fmt: skip


COUNTS = table()


def rows(run: Run, *values: tuple[str, str | None, int]) -> DataFrame:
    listed = json.dumps([{"day": f"2026-11-{day}", "name": name, "count": number} for day, name, number in values])
    parsed = "from_json(:rows, 'array<struct<day: date, name: string, count: bigint>>')"
    return run.spark.sql(f"SELECT inline({parsed})", args={"rows": listed})


def many(run: Run, day: str, number: int) -> DataFrame:
    found = run.spark.range(number).withColumn("day", F.lit(f"2026-11-{day}").cast("date"))
    return found.selectExpr("day", "CAST(id AS string) AS name", "id AS count")


def held(run: Run, of: LakeTable = COUNTS) -> list[tuple[Any, ...]]:
    found = run.spark.table(run.lake.name(of)).selectExpr("day(day)", "name", "count").orderBy("day", "name")
    return [tuple(row) for row in found.collect()]


@pytest.fixture
def run(desk: Desk) -> Run:
    return desk.prepared(*WINDOW)


def test_added_rows_leave_what_is_there_as_it_is(run: Run) -> None:
    run.publish(COUNTS, AddNew(rows=rows(run, ("18", "a", 1))))
    outcome = run.publish(COUNTS, AddNew(rows=rows(run, ("18", "a", 9), ("18", "b", 2), ("17", "a", 3))))
    assert held(run) == [(17, "a", 3), (18, "a", 1), (18, "b", 2)]
    assert (outcome.rows_in, outcome.rows_added, outcome.rows_now, outcome.files_added) == (3, 2, 3, 2)


def test_an_upsert_replaces_what_differs_and_removes_what_is_gone(run: Run) -> None:
    first = rows(run, ("17", "a", 1), ("18", "a", 1), ("18", "b", 2), ("18", "c", 3))
    run.publish(COUNTS, Upsert(rows=first, day_in_key=True))
    gone = rows(run, ("18", "c", 0), ("18", "b", 0), ("18", "never", 0))

    outcome = run.publish(
        COUNTS, Upsert(rows=rows(run, ("18", "b", 5), ("18", "d", 4), ("18", "a", 1)), gone=gone, day_in_key=True)
    )

    assert held(run) == [(17, "a", 1), (18, "a", 1), (18, "b", 5), (18, "d", 4)]
    assert (outcome.rows_in, outcome.rows_added, outcome.rows_removed) == (3, 2, 1)


@pytest.mark.parametrize("day_in_key", [True, False])
def test_an_upsert_of_what_is_there_commits_nothing(desk: Desk, run: Run, day_in_key: bool) -> None:
    change = Upsert(rows=rows(run, ("18", "a", 1), ("18", "b", 2)), day_in_key=day_in_key)
    run.publish(COUNTS, change)
    before = desk.snapshots("transformed.counts")
    outcome = run.publish(COUNTS, change)
    assert (outcome.rows_added, outcome.rows_removed) == (0, 0)
    assert desk.snapshots("transformed.counts") == before


def test_a_day_is_written_again_whole_and_other_days_stay(desk: Desk, run: Run) -> None:
    run.publish(COUNTS, AddNew(rows=rows(run, ("17", "a", 1), ("18", "a", 1), ("18", "b", 2))))
    change = Replace(rows=rows(run, ("18", "c", 7)), where="day = DATE '2026-11-18'")
    run.publish(COUNTS, change)
    assert held(run) == [(17, "a", 1), (18, "c", 7)]
    before = desk.snapshots("transformed.counts")
    run.publish(COUNTS, change)
    assert desk.snapshots("transformed.counts") == before


def test_rows_outside_of_what_they_replace_are_an_error(run: Run) -> None:
    with pytest.raises(ValueError, match=r"1 of the rows for transformed.counts do not satisfy"):
        run.publish(COUNTS, Replace(rows=rows(run, ("17", "a", 1)), where="day = DATE '2026-11-18'"))


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ([("18", None, 1), ("18", "b", 1)], "transformed.counts: 1 of 2 rows have no day and name"),
        ([("18", "b", 1), ("18", "b", 2)], "transformed.counts: 1 of 2 rows repeat another's day and name"),
    ],
)
@pytest.mark.parametrize("kind", ["add", "upsert", "replace"])
def test_keys_that_are_absent_or_repeated_are_refused(
    run: Run, values: list[tuple[str, str | None, int]], says: str, kind: str
) -> None:
    run.publish(COUNTS, AddNew(rows=rows(run, ("18", "a", 1))))
    broken = rows(run, *values)
    changes: dict[str, Change] = {
        "add": AddNew(rows=broken),
        "upsert": Upsert(rows=broken),
        "replace": Replace(rows=broken, where="true"),
    }
    with pytest.raises(Refused, match=says):
        run.publish(COUNTS, changes[kind])
    assert held(run) == [(18, "a", 1)]


def test_a_fall_below_half_is_refused_unless_it_is_accepted(desk: Desk, run: Run) -> None:
    run.publish(COUNTS, AddNew(rows=many(run, "18", 200).unionAll(many(run, "17", 5))))
    change = Replace(rows=many(run, "18", 99), where="day = DATE '2026-11-18'")

    with pytest.raises(Refused, match=r"fall from 200 to 99 rows.*--accept-fewer-rows"):
        run.publish(COUNTS, change)
    assert len(held(run)) == 205, "readers go on seeing what they saw"

    accepting = desk.prepared(*WINDOW, "--accept-fewer-rows")
    accepting.publish(COUNTS, change)
    assert len(held(run)) == 104


def test_half_of_the_rows_is_no_fall(run: Run) -> None:
    run.publish(COUNTS, AddNew(rows=many(run, "18", 200)))
    run.publish(COUNTS, Replace(rows=many(run, "18", 100), where="true"))
    assert len(held(run)) == 100


def test_a_job_waits_for_what_it_reads(desk: Desk) -> None:
    def events_ran(*run_id: str) -> None:
        desk.run("events", "2026-11-18T00", "2026-11-18T20", "--run-id", *run_id, body=lambda _: None)

    def statistics(end: str, *more: str) -> None:
        desk.run("show_statistics", "2026-11-18T00", end, *more, body=lambda _: None)

    statistics("2026-11-18T23")  # nothing is known of what made the tables that it reads
    events_ran("first")
    statistics("2026-11-18T22")
    with pytest.raises(Refused, match=r"^transformed.playback_metric was last made .* at 2026-11-18T20, more than 2"):
        statistics("2026-11-18T23")
    statistics("2026-11-18T23", "--accept-stale")
    status = [row["status"] for row in desk.rows("transformed.job_runs", "started_at")]
    assert status == ["succeeded", "succeeded", "succeeded", "refused", "succeeded"]


def test_a_failed_run_counts_for_the_tables_that_it_published(desk: Desk) -> None:
    def some(run: Run) -> None:
        like = by_name("transformed.like")
        run.publish(
            like, AddNew(rows=run.spark.sql("SELECT 'a' event_id, TIMESTAMP '2026-11-18 07:00:00' occurred_at"))
        )
        raise JobFailed("follow failed")

    desk.run("events", "2026-11-18T00", "2026-11-18T04", body=lambda _: None)
    with pytest.raises(JobFailed):
        desk.run("events", "2026-11-18T00", "2026-11-18T08", body=some)
    trending = desk.prepared("trending_shows", "2026-11-18T08", "2026-11-18T09")
    with pytest.raises(Refused) as refused:
        expectations.expect_fresh(trending)
    assert "transformed.like" not in str(refused.value)


def test_a_commit_of_another_run_meanwhile_is_kept(desk: Desk, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    run.publish(COUNTS, AddNew(rows=rows(run, ("18", "a", 1))))
    other = desk.prepared(*WINDOW)
    expect = expectations.expect_of_counts
    attempts = []

    def interrupted(*arguments: Any, **more: Any) -> None:
        attempts.append(1)
        if len(attempts) == 1:
            other.publish(COUNTS, AddNew(rows=rows(other, ("18", "b", 2), ("18", "c", 3))))
        expect(*arguments, **more)

    monkeypatch.setattr(expectations, "expect_of_counts", interrupted)
    monkeypatch.setattr("spark_jobs.publishing.time.sleep", lambda _: None)

    outcome = run.publish(COUNTS, AddNew(rows=rows(run, ("18", "c", 9), ("18", "d", 4))))

    assert held(run) == [(18, "a", 1), (18, "b", 2), (18, "c", 3), (18, "d", 4)]
    assert outcome.rows_added == 1, "what the other run added is not added again"
    assert len(attempts) == 3


@pytest.mark.parametrize("first", [[("18", "a", 1)], []])
def test_a_commit_of_another_run_while_a_change_is_worked_out_is_kept(
    desk: Desk, run: Run, monkeypatch: pytest.MonkeyPatch, first: list[tuple[str, str, int]]
) -> None:
    if first:
        run.publish(COUNTS, AddNew(rows=rows(run, *first)))
    other = desk.prepared(*WINDOW)
    attempts = []

    def interrupted(seen: planning.Seen, change: Change) -> planning.Plan:
        made = planning.plan(seen, change)
        attempts.append(1)
        if len(attempts) == 1:
            other.publish(COUNTS, AddNew(rows=rows(other, ("18", "b", 2), ("18", "c", 3))))
        return made

    monkeypatch.setattr("spark_jobs.publishing.plan", interrupted)
    monkeypatch.setattr("spark_jobs.publishing.time.sleep", lambda _: None)

    outcome = run.publish(COUNTS, AddNew(rows=rows(run, ("18", "c", 9), ("18", "d", 4))))

    assert held(run) == [*((18, name, number) for _, name, number in first), (18, "b", 2), (18, "c", 3), (18, "d", 4)]
    assert outcome.rows_added == 1, "what the other run added is not added again"


def test_an_upsert_looks_at_the_days_of_its_rows_alone_where_the_day_is_part_of_the_key(run: Run) -> None:
    run.publish(COUNTS, AddNew(rows=rows(run, ("17", "a", 1), ("18", "a", 1))))
    current = run.lake.iceberg(COUNTS).currentSnapshot()
    change = Upsert(rows=rows(run, ("18", "a", 2)))
    seen = planning.Seen(
        spark=run.spark,
        table=COUNTS,
        name=run.lake.name(COUNTS),
        columns=run.lake.ensure(COUNTS, change.rows.schema),
        snapshot_id=current.snapshotId(),
    )
    made = planning.plan(seen, change)
    assert made.scope == "(`day` >= DATE '2026-11-18' AND `day` < DATE '2026-11-19')"
    made.release()


def test_metadata_of_an_open_table_keep_no_value_of_a_column_that_nobody_declared(run: Run) -> None:
    uploads = table(name="uploads", zone=Zone.PERSONAL, open=True)
    run.lake.ensure(uploads, rows(run, ("18", "a", 1)).withColumn("e_mail", F.lit("x")).schema)
    properties = dict(run.lake.iceberg(uploads).properties())
    assert properties["write.metadata.metrics.default"] == "counts"
    assert "write.metadata.metrics.column.e_mail" not in properties
    assert properties["write.metadata.metrics.column.day"] == "full"


def test_a_table_says_what_its_contract_says(run: Run) -> None:
    personal = table(
        Column(path="user_id", type="string", description="Who.", personal=True), zone=Zone.PERSONAL, name="known"
    )
    run.lake.ensure(personal, rows(run, ("18", "a", 1)).schema)
    described = run.spark.sql(f"SHOW TBLPROPERTIES {run.lake.name(personal)}").collect()
    properties = {row["key"]: row["value"] for row in described}
    assert properties["write.parquet.compression-codec"] == "zstd"
    assert properties["format-version"] == "2"
    assert properties["amp.owner"] == "tests"
    assert properties["write.metadata.metrics.column.user_id"] == "counts"
    comments = run.spark.sql(f"DESCRIBE {run.lake.name(personal)}").collect()
    assert "Who." in [row["comment"] for row in comments]


def test_a_column_that_a_contract_gains_is_null_in_older_rows(run: Run) -> None:
    run.publish(COUNTS, AddNew(rows=rows(run, ("18", "a", 1))))
    grown = table(Column(path="note", type="string", description="What was noted."))
    assert run.read(grown).collect()[0]["note"] is None, "readers of the contract need not wait for the table"
    run.publish(grown, AddNew(rows=rows(run, ("18", "b", 1)).withColumn("note", F.lit("n"))))
    assert {row["name"]: row["note"] for row in run.read(grown).collect()} == {"a": None, "b": "n"}


def test_a_column_becomes_wider_where_iceberg_can_and_is_refused_where_it_cannot(run: Run) -> None:
    narrow = table(Column(path="size", type="int", description="Its size."))
    run.publish(narrow, AddNew(rows=rows(run, ("18", "a", 1)).withColumn("size", F.lit(7))))
    wide = table(Column(path="size", type="bigint", description="Its size."))
    run.publish(wide, AddNew(rows=rows(run, ("18", "b", 1)).withColumn("size", F.lit(2**40))))
    assert sorted(row["size"] for row in run.read(wide).collect()) == [7, 2**40]
    text = table(Column(path="size", type="string", description="Its size."))
    with pytest.raises(WrongTable, match=r"'size' of transformed.counts is bigint.*should be string"):
        run.publish(text, AddNew(rows=rows(run, ("18", "c", 1))))


@pytest.mark.parametrize(
    ("have", "wanted", "can"),
    [
        ("int", "bigint", True),
        ("bigint", "int", False),
        ("float", "double", True),
        ("decimal(9,2)", "decimal(12,2)", True),
        ("decimal(9,2)", "decimal(12,3)", False),
        ("int", "string", False),
    ],
)
def test_what_iceberg_can_widen(spark: object, have: str, wanted: str, can: bool) -> None:
    assert widens(have, wanted) is can


def test_an_open_table_takes_columns_that_its_contract_does_not_name(run: Run) -> None:
    drop = table(name="drop", open=True)
    run.publish(drop, AddNew(rows=rows(run, ("18", "a", 1)).withColumn("colour", F.lit("red"))))
    run.publish(drop, AddNew(rows=rows(run, ("18", "b", 1))))
    assert {row["name"]: row["colour"] for row in run.read(drop).collect()} == {"a": "red", "b": None}


def test_a_table_that_is_not_there_reads_as_no_rows(run: Run) -> None:
    found = run.read(COUNTS)
    assert found.columns == ["day", "name", "count"]
    assert found.collect() == []


def test_threads_of_a_run_may_change_one_table(run: Run) -> None:
    changes = [AddNew(rows=rows(run, ("18", name, 1))) for name in ("a", "b", "c")]
    with ThreadPoolExecutor(max_workers=3) as pool:
        list(pool.map(lambda change: run.publish(COUNTS, change), changes))
    assert [name for _, name, _ in held(run)] == ["a", "b", "c"]


def test_equal_rejected_lines_of_a_file_are_kept_each_and_once(desk: Desk, run: Run) -> None:
    line = "SELECT 'like' source, 'f' file, 'malformed_row' reason_code, 'no' reason, '{' original"
    twice = run.spark.sql(f"{line} UNION ALL {line}")
    assert run.reject(twice) == {"malformed_row": 2}
    assert run.reject(twice) == {"malformed_row": 2}
    found = desk.rows("personal.rejected_rows")
    assert len({row["rejected_id"] for row in found}) == len(found) == 2
    assert {row["job"] for row in found} == {"show_statistics"}
