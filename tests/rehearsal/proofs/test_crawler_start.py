"""Each change of batch files is catalogued, by as few crawls as it takes, whatever goes wrong on the way."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("time_machine", reason="a rehearsal needs the packages of requirements-dev.txt")
pytest.importorskip("duckdb", reason="played crawlers infer schemas with DuckDB, of requirements-dev.txt")

from tests.rehearsal.proofs.dropped import CATALOG, FUNCTION, Dropped, json_lines
from tests.rehearsal.proofs.played import Played

pytestmark = pytest.mark.xdist_group("crawler-start")

USUAL_S = 45.0
CSV = b"user_id,plan\nu-1,free\nu-2,plus\n"


@pytest.fixture(scope="module")
def platform(assembly: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    """One platform for all of them: each test looks at what is its own."""
    with Played(assembly, workspace=tmp_path_factory.mktemp("crawler-start")) as running:
        yield running


@pytest.fixture
def files(platform: Played) -> Iterator[Dropped]:
    """The batch path, at rest."""
    dropped = Dropped(platform)
    yield dropped
    dropped.crawls_take(USUAL_S)
    platform.settle()
    dropped.taken(platform.deployed.crawl_dead_letter_queue_url)


def show(number: int) -> bytes:
    return json_lines({"show_id": f"show-{number}", "title": "Morning"})


# --- how many crawls ------------------------------------------------------------------------------------------


def test_a_hundred_files_in_a_second_cost_one_crawl_which_finds_them_all(files: Dropped) -> None:
    files.put({f"shows/2026-11-18/{number}.json": show(number) for number in range(100)})
    files.settle()
    assert files.states("shows") == ["COMPLETED"]
    assert files.counts("batch_shows") == (100, 100)
    assert set(files.outcomes()) == {"ok"}


def test_two_datasets_at_once_are_crawled_at_once(files: Dropped) -> None:
    files.put({"user_profiles/day/a.csv": CSV, "creators/day/a.json": json_lines({"creator_id": "c"})})
    files.settle()
    (profiles,), (creators,) = files.crawls("user_profiles"), files.crawls("creators")
    assert (profiles["State"], creators["State"]) == ("COMPLETED", "COMPLETED")
    assert max(profiles["StartTime"], creators["StartTime"]) < min(profiles["EndTime"], creators["EndTime"])
    assert files.counts("batch_user_profiles") == (1, 2)
    assert files.counts("batch_creators") == (1, 1)


def test_files_that_come_and_go_while_a_crawler_runs_cost_one_more_crawl_after_it(files: Dropped) -> None:
    files.crawls_take(400)
    files.put({"uploads/while/first.json": json_lines({"n": 1}), "uploads/while/gone.json": json_lines({"n": 0})})
    files.until(lambda: files.states("uploads") == ["RUNNING"])
    for wait_s, number in ((5, 2), (60, 3), (100, 4), (200, 5)):  # the first before the crawler lists its files
        files.engine.advance(wait_s)
        files.put({f"uploads/while/{number}.json": json_lines({"n": number})})
    files.remove("uploads/while/gone.json")
    assert files.states("uploads") == ["RUNNING"]
    files.settle()
    first, second = files.crawls("uploads")
    assert (first["State"], second["State"]) == ("COMPLETED", "COMPLETED")
    assert second["StartTime"] >= first["EndTime"]
    assert files.counts("batch_uploads_while") == (5, 5)
    assert files.played.metric("StartsFailed") == 0


def test_a_file_that_comes_later_costs_a_crawl_of_its_own_which_looks_at_its_folder_alone(files: Dropped) -> None:
    files.put({"catalog/a/one.csv": b"show_id,category\ns-1,talk\n"})
    files.settle()
    before = len(files.engine.calls)
    files.put({"catalog/b/two.csv": b"show_id,category\ns-2,music\n"})
    files.settle()
    assert files.states("catalog") == ["COMPLETED", "COMPLETED"]
    assert files.counts("batch_catalog") == (2, 2)
    read = [call.need.resource for call in files.engine.calls[before:] if call.need.action == "s3:GetObject"]
    assert [resource.split("/batch/")[1] for resource in read] == ["catalog/b/two.csv"]


# --- what goes wrong ------------------------------------------------------------------------------------------


def test_a_function_that_is_killed_after_its_start_finds_that_start_and_makes_no_other(files: Dropped) -> None:
    files.engine.faults.kill_function_after(files.played.function(FUNCTION), "glue:StartCrawler")
    files.put({f"uploads/killed/{number}.json": json_lines({"n": number}) for number in range(3)})
    files.settle()
    first, *further = files.outcomes()
    assert first == "crash"
    assert further
    assert set(further) == {"ok"}
    assert files.states("uploads") == ["COMPLETED"]
    assert files.counts("batch_uploads_killed") == (3, 3)


def test_a_function_that_is_killed_before_its_start_loses_nothing(files: Dropped) -> None:
    files.engine.faults.kill_function_after(files.played.function(FUNCTION), "glue:ListCrawls")
    files.put({"uploads/killed_early/a.json": json_lines({"n": 1})})
    files.settle()
    assert files.outcomes()[0] == "crash"
    assert files.states("uploads") == ["COMPLETED"]
    assert files.counts("batch_uploads_killed_early") == (1, 1)


def test_a_message_that_is_delivered_twice_costs_no_further_crawl(files: Dropped) -> None:
    files.put({"uploads/twice/a.json": json_lines({"n": 1})})
    url = files.engine.outputs(CATALOG)["BatchFilesQueueUrl"]
    arn = next(one.arn for one in files.engine.resources() if one.physical_id == url)
    files.until(lambda: files.engine.faults.deliver_twice(str(arn)))
    files.settle()
    assert files.states("uploads") == ["COMPLETED"]


def test_a_file_of_no_dataset_is_a_dead_letter_with_its_reason_and_the_others_are_crawled(files: Dropped) -> None:
    files.put(
        {
            "payments/day/a.csv": b"id\n1\n",
            "uploads/beside/a.json": json_lines({"n": 1}),
            "read me.txt": b"It lies in no folder.",
        }
    )
    files.settle(letters=2)
    assert files.states("uploads") == ["COMPLETED"]
    assert files.counts("batch_uploads_beside") == (1, 1)
    letters = files.taken(files.deployed.crawl_dead_letter_queue_url)
    assert {one["MessageAttributes"]["reason_code"]["StringValue"] for one in letters} == {"unknown_prefix"}
    named = sorted(key for one in letters for key in ("payments/day/a.csv", "read+me.txt") if key in one["Body"])
    assert named == ["payments/day/a.csv", "read+me.txt"]


def test_a_crawl_that_fails_is_told_to_the_alarm_topic_and_made_again_until_it_ends_well(files: Dropped) -> None:
    engine = files.engine
    heard = files.hear(engine.outputs("Amp-dev-DataLake")["AlarmTopicArn"])
    role = engine.client("glue").get_crawler(Name="amp-dev-batch-uploads")["Crawler"]["Role"]
    deny = {"Effect": "Deny", "Action": "glue:CreateTable", "Resource": "*"}
    engine.authorizer.put_inline_policy(role, "Broken", {"Version": "2012-10-17", "Statement": [deny]})
    try:
        files.put({"uploads/failing/a.json": json_lines({"n": 1})})
        files.until(lambda: files.states("uploads") == ["FAILED"])
    finally:
        engine.authorizer.put_inline_policy(role, "Broken", None)
    # Another file comes while the failed crawl still keeps what it had read of its queue.
    files.put({"uploads/failing_too/b.json": json_lines({"n": 2}, {"n": 3})})
    files.settle(refused=["glue:CreateTable"])
    assert files.states("uploads") == ["FAILED", "COMPLETED"]
    assert files.counts("batch_uploads_failing") == (1, 1)
    assert files.counts("batch_uploads_failing_too") == (1, 2)
    (notice,) = heard()
    assert "Glue crawler amp-dev-batch-uploads ended as Failed" in notice
    assert "a-crawler-is-stuck.md" in notice


# --- what the catalog says ------------------------------------------------------------------------------------


def test_a_removed_file_leaves_its_table_and_a_withdrawn_dataset_s_table_is_deprecated_until_files_are_back(
    files: Dropped,
) -> None:
    keys = ["uploads/leaving/a.json", "uploads/leaving/b.json"]
    files.put({key: json_lines({"n": 1}) for key in keys})
    files.settle()
    assert files.counts("batch_uploads_leaving") == (2, 2)

    files.remove(keys[0])
    files.settle()
    assert files.counts("batch_uploads_leaving") == (1, 1)
    assert not files.deprecated("batch_uploads_leaving")

    files.remove(keys[1])
    files.settle()
    assert files.deprecated("batch_uploads_leaving")
    assert files.columns("batch_uploads_leaving") == {"n": "int"}, "it stays for those who read it"

    files.put({"uploads/leaving/c.json": json_lines({"n": 1})})
    files.settle()
    assert not files.deprecated("batch_uploads_leaving")
    assert files.counts("batch_uploads_leaving") == (1, 1)
    assert files.states("uploads") == ["COMPLETED"] * 4


def test_a_type_that_changes_in_a_later_file_changes_in_the_catalog(files: Dropped) -> None:
    rows: tuple[dict[str, object], ...] = ({"n": 1}, {"n": 2**40}, {"n": 2.5, "new": True}, {"n": "many"})
    seen = []
    for number, row in enumerate(rows):
        files.put({f"uploads/typed/{number}.json": json_lines(row)})
        files.settle()
        seen.append(files.columns("batch_uploads_typed"))
    assert seen == [{"n": "int"}, {"n": "bigint"}, {"n": "double", "new": "boolean"}, {"n": "string", "new": "boolean"}]
    assert files.states("uploads") == ["COMPLETED"] * 4
