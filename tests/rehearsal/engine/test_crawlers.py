"""A crawler's life in a rehearsal: started, listing, in event mode, refused, stopped, edited."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.rehearsal.engine.assemblies import NEEDS, StartEngine, att
from tests.rehearsal.engine.crawled import (
    CRAWLER,
    DATABASE,
    columns,
    crawl,
    depth,
    drop,
    lake,
    log,
    policy,
    table,
    tables,
    withdraw,
)

pytest.importorskip("time_machine", reason=NEEDS)
pytest.importorskip("duckdb", reason=NEEDS)

from rehearsal.engine.crawlers import events
from rehearsal.engine.errors import DeploymentFailed, Unsupported

SHOW = '{"id": 1, "title": "Morning"}\n'


def test_a_first_crawl_lists_everything_and_makes_the_table(tmp_path: Path, start_engine: StartEngine) -> None:
    engine = start_engine(lake(tmp_path))
    engine.deploy()
    drop(engine, "a.json", SHOW)
    drop(engine, "b.json", '{"id": 2, "title": "Night", "tags": ["late"]}\n')
    last = crawl(engine)
    assert last["Status"] == "SUCCEEDED"
    found = table(engine)
    assert columns(engine) == {"id": "int", "title": "string", "tags": "array<string>"}
    bucket = engine.resource("App", "Bucket").physical_id
    assert found["StorageDescriptor"]["Location"] == f"s3://{bucket}/batch/shows/"
    assert found["StorageDescriptor"]["SerdeInfo"]["SerializationLibrary"] == "org.openx.data.jsonserde.JsonSerDe"
    parameters = found["Parameters"]
    assert parameters["classification"] == "json"
    assert parameters["UPDATED_BY_CRAWLER"] == CRAWLER
    assert (parameters["objectCount"], parameters["recordCount"]) == ("2", "2")
    assert depth(engine) == 0
    assert "INFO : Crawl is not running in S3 event mode" in log(engine)


def test_a_crawl_takes_its_virtual_time_and_tells_its_state(tmp_path: Path, start_engine: StartEngine) -> None:
    engine = start_engine(lake(tmp_path))
    engine.deploy()
    drop(engine, "a.json", SHOW)
    engine.settle()
    glue = engine.client("glue")
    assert glue.get_crawler(Name=CRAWLER)["Crawler"]["State"] == "READY"
    glue.start_crawler(Name=CRAWLER)
    engine.advance(30)
    running = glue.get_crawler(Name=CRAWLER)["Crawler"]
    assert running["State"] == "RUNNING"
    assert 30_000 <= running["CrawlElapsedTime"] < 40_000
    assert "LastCrawl" not in running
    with pytest.raises(glue.exceptions.CrawlerRunningException):
        glue.start_crawler(Name=CRAWLER)
    engine.settle()
    rested = glue.get_crawler(Name=CRAWLER)["Crawler"]
    assert (rested["State"], rested["LastCrawl"]["Status"]) == ("READY", "SUCCEEDED")
    (only,) = glue.list_crawls(CrawlerName=CRAWLER)["Crawls"]
    assert only["State"] == "COMPLETED"
    assert 45 <= (only["EndTime"] - only["StartTime"]).total_seconds() < 50
    assert json.loads(only["Summary"])["TABLE"]["ADD"] == ["shows"]
    assert engine.clock.real_seconds < 20


def test_the_next_crawl_reads_its_queue_and_only_the_folders_that_changed(
    tmp_path: Path, start_engine: StartEngine
) -> None:
    engine = start_engine(lake(tmp_path))
    engine.deploy()
    drop(engine, "day=1/a.json", SHOW)
    drop(engine, "day=2/a.json", SHOW)
    crawl(engine)
    drop(engine, "day=2/b c.json", '{"id": 3, "title": "Noon", "live": true}\n')
    before = len(engine.calls)
    crawl(engine)
    assert "INFO : The crawl is running by consuming Amazon S3 events." in log(engine)
    assert columns(engine) == {"id": "int", "title": "string", "live": "boolean"}
    assert table(engine)["Parameters"]["objectCount"] == "3"
    read = [call.need.resource for call in engine.calls[before:] if call.need.action == "s3:GetObject"]
    assert [resource.split("/", 1)[1] for resource in read] == ["batch/shows/day=2/b c.json"]
    assert depth(engine) == 0


def test_a_crawl_without_events_changes_nothing(tmp_path: Path, start_engine: StartEngine) -> None:
    engine = start_engine(lake(tmp_path))
    engine.deploy()
    drop(engine, "a.json", SHOW)
    crawl(engine)
    version = table(engine)["VersionId"]
    assert crawl(engine)["Status"] == "SUCCEEDED"
    assert table(engine)["VersionId"] == version


def test_a_file_that_comes_while_a_crawl_runs_is_the_next_ones(tmp_path: Path, start_engine: StartEngine) -> None:
    engine = start_engine(lake(tmp_path))
    engine.deploy()
    drop(engine, "a.json", SHOW)
    engine.settle()
    engine.client("glue").start_crawler(Name=CRAWLER)
    engine.advance(20)
    drop(engine, "b.json", '{"late": 1}\n')
    engine.settle()
    assert "late" not in columns(engine)
    assert depth(engine) == 1
    crawl(engine)
    assert columns(engine)["late"] == "int"


def test_the_queue_may_hold_bare_events_and_strangers(tmp_path: Path, start_engine: StartEngine) -> None:
    letters: dict[str, Any] = {"Letters": {"Type": "AWS::SQS::Queue"}}
    engine = start_engine(lake(tmp_path, raw=True, more=letters))
    engine.deploy()
    drop(engine, "a.json", SHOW)
    crawl(engine)
    drop(engine, "b.json", '{"new": 1}\n')
    url = engine.resource("App", "Events").physical_id
    engine.client("sqs").send_message(QueueUrl=url, MessageBody="hello")
    crawl(engine)
    assert columns(engine)["new"] == "int"
    assert "WARN : A message of the event queue is no S3 event: hello" in log(engine)
    assert depth(engine) == 0


def test_a_crawl_takes_no_more_messages_than_its_limit(
    tmp_path: Path, start_engine: StartEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "MESSAGE_LIMIT", 10)
    engine = start_engine(lake(tmp_path))
    engine.deploy()
    for number in range(12):
        drop(engine, f"{number}.json", SHOW)
    crawl(engine)
    assert depth(engine) == 2


def test_an_edited_crawler_lists_everything_once_more(tmp_path: Path, start_engine: StartEngine) -> None:
    engine = start_engine(lake(tmp_path))
    engine.deploy()
    drop(engine, "a.json", SHOW)
    crawl(engine)
    engine.client("glue").update_crawler(Name=CRAWLER, TablePrefix="batch_")
    crawl(engine)
    assert "batch_shows" in tables(engine)
    assert log(engine).count("INFO : Crawl is not running in S3 event mode") == 2


@pytest.mark.parametrize(
    ("action", "needed"),
    [
        ("sqs:ReceiveMessage", "sqs:ReceiveMessage"),
        ("sqs:PurgeQueue", "sqs:PurgeQueue"),
        ("s3:ListBucket", "s3:ListBucket"),
        ("s3:GetObject", "s3:GetObject"),
        ("glue:CreateTable", "glue:CreateTable"),
        ("logs:PutLogEvents", "logs:PutLogEvents"),
    ],
)
def test_a_refusal_fails_the_crawl_and_is_told(
    tmp_path: Path, start_engine: StartEngine, action: str, needed: str
) -> None:
    engine = start_engine(lake(tmp_path))

    def without(template: dict[str, Any]) -> dict[str, Any]:
        for statement in template["Resources"]["CrawlerRole"]["Properties"]["Policies"][0]["PolicyDocument"][
            "Statement"
        ]:
            statement["Action"] = [one for one in statement["Action"] if one != action] or ["s3:GetBucketAcl"]
        return template

    engine.deploy(mutate={"App": without})
    drop(engine, "a.json", SHOW)
    last = crawl(engine)
    assert last["Status"] == "FAILED"
    assert f"not authorized to perform: {needed}" in last["ErrorMessage"]
    assert needed in {refusal.need.action for refusal in engine.refusals}
    assert tables(engine) == []


def test_a_failed_crawl_finds_its_messages_again(tmp_path: Path, start_engine: StartEngine) -> None:
    engine = start_engine(lake(tmp_path))
    engine.deploy()
    drop(engine, "a.json", SHOW)
    engine.settle()
    glue = engine.client("glue")
    glue.start_crawler(Name=CRAWLER)
    engine.advance(20)
    glue.delete_database(Name=DATABASE)
    engine.settle()
    assert glue.get_crawler(Name=CRAWLER)["Crawler"]["LastCrawl"]["Status"] == "FAILED"
    assert depth(engine) == 1
    glue.create_database(DatabaseInput={"Name": DATABASE})
    engine.advance(60)
    assert crawl(engine)["Status"] == "SUCCEEDED"
    assert tables(engine) == ["shows"]


def test_a_role_that_glue_may_not_assume_fails_the_crawl(tmp_path: Path, start_engine: StartEngine) -> None:
    engine = start_engine(lake(tmp_path))

    def other_trust(template: dict[str, Any]) -> dict[str, Any]:
        trust = template["Resources"]["CrawlerRole"]["Properties"]["AssumeRolePolicyDocument"]
        trust["Statement"][0]["Principal"] = {"Service": "lambda.amazonaws.com"}
        return template

    engine.deploy(mutate={"App": other_trust})
    last = crawl(engine)
    assert "sts:AssumeRole" in last["ErrorMessage"]


def test_a_stopped_crawl_writes_nothing(tmp_path: Path, start_engine: StartEngine) -> None:
    engine = start_engine(lake(tmp_path))
    engine.deploy()
    drop(engine, "a.json", SHOW)
    engine.settle()
    glue = engine.client("glue")
    glue.start_crawler(Name=CRAWLER)
    glue.stop_crawler(Name=CRAWLER)
    assert glue.get_crawler(Name=CRAWLER)["Crawler"]["State"] == "STOPPING"
    engine.settle()
    assert glue.get_crawler(Name=CRAWLER)["Crawler"]["LastCrawl"]["Status"] == "CANCELLED"
    assert glue.list_crawls(CrawlerName=CRAWLER)["Crawls"][0]["State"] == "STOPPED"
    assert tables(engine) == []
    with pytest.raises(glue.exceptions.CrawlerNotRunningException):
        glue.stop_crawler(Name=CRAWLER)


def test_crawls_are_listed_newest_first_by_state_and_page(tmp_path: Path, start_engine: StartEngine) -> None:
    engine = start_engine(lake(tmp_path))
    engine.deploy()
    for _ in range(3):
        crawl(engine)
    glue = engine.client("glue")
    first = glue.list_crawls(CrawlerName=CRAWLER, MaxResults=2)
    second = glue.list_crawls(CrawlerName=CRAWLER, MaxResults=2, NextToken=first["NextToken"])
    starts = [one["StartTime"] for one in [*first["Crawls"], *second["Crawls"]]]
    assert len(starts) == 3
    assert starts == sorted(starts, reverse=True)
    failed = {"FieldName": "STATE", "FilterOperator": "EQ", "FieldValue": "FAILED"}
    assert glue.list_crawls(CrawlerName=CRAWLER, Filters=[failed])["Crawls"] == []


def test_a_starter_needs_permission_on_its_crawler_alone(tmp_path: Path, start_engine: StartEngine) -> None:
    engine = start_engine(lake(tmp_path))
    engine.deploy()
    stranger = engine.principal("stranger")
    with pytest.raises(ClientError, match=r"glue:StartCrawler on resource: .*crawler/shows"):
        engine.client("glue", stranger).start_crawler(Name=CRAWLER)


@pytest.mark.parametrize(
    ("crawler", "configuration", "error", "message"),
    [
        ({}, {"Version": 1.0}, Unsupported, "without Grouping.TableGroupingPolicy"),
        (
            {},
            {"Version": 1.0, "Grouping": {"TableGroupingPolicy": "CombineCompatibleSchemas"}, "Else": 1},
            Unsupported,
            "Configuration Else is not played",
        ),
        ({"RecrawlPolicy": {"RecrawlBehavior": "CRAWL_NEW_FOLDERS_ONLY"}}, None, Unsupported, "NEW_FOLDERS_ONLY"),
        ({"Schedule": {"ScheduleExpression": "cron(0 1 * * ? *)"}}, None, Unsupported, "property Schedule"),
        ({"Targets": {"S3Targets": [{"Path": "s3://b/x/"}]}}, None, DeploymentFailed, "single target"),
        ({"Classifiers": ["nobody"]}, None, DeploymentFailed, "classifier nobody does not exist"),
        ({"Role": "nobody"}, None, DeploymentFailed, "role/nobody does not exist"),
    ],
)
def test_what_is_not_played_or_not_allowed_is_refused(
    tmp_path: Path,
    start_engine: StartEngine,
    crawler: dict[str, Any],
    configuration: dict[str, Any] | None,
    error: type[Exception],
    message: str,
) -> None:
    engine = start_engine(lake(tmp_path, crawler=crawler, configuration=configuration))
    with pytest.raises(error, match=message):
        engine.deploy()


def test_a_withdrawn_dataset_is_marked_deprecated_and_comes_back(tmp_path: Path, start_engine: StartEngine) -> None:
    engine = start_engine(lake(tmp_path))
    engine.deploy()
    drop(engine, "a.json", SHOW)
    crawl(engine)
    withdraw(engine, "a.json")
    crawl(engine)
    moment = int(table(engine)["Parameters"]["DEPRECATED_BY_CRAWLER"])
    assert 0 <= engine.clock.time() * 1000 - moment < 60_000
    assert columns(engine) == {"id": "int", "title": "string"}
    version = table(engine)["VersionId"]
    crawl(engine)
    assert table(engine)["VersionId"] == version
    drop(engine, "a.json", SHOW)
    crawl(engine)
    assert "DEPRECATED_BY_CRAWLER" not in table(engine)["Parameters"]


@pytest.mark.parametrize(("behavior", "left"), [("DELETE_FROM_DATABASE", []), ("LOG", ["shows"])])
def test_the_delete_behavior_decides_what_becomes_of_a_withdrawn_dataset(
    tmp_path: Path, start_engine: StartEngine, behavior: str, left: list[str]
) -> None:
    engine = start_engine(lake(tmp_path, crawler={"SchemaChangePolicy": {"DeleteBehavior": behavior}}))
    engine.deploy()
    drop(engine, "a.json", SHOW)
    crawl(engine)
    withdraw(engine, "a.json")
    assert crawl(engine)["Status"] == "SUCCEEDED"
    assert tables(engine) == left
    if left:
        assert "DEPRECATED_BY_CRAWLER" not in table(engine)["Parameters"]


def test_rules_hear_of_crawls_that_start_succeed_and_fail(tmp_path: Path, start_engine: StartEngine) -> None:
    more: dict[str, Any] = {
        "Heard": {"Type": "AWS::SQS::Queue"},
        "HeardPolicy": {
            "Type": "AWS::SQS::QueuePolicy",
            "Properties": {
                "Queues": [{"Ref": "Heard"}],
                "PolicyDocument": policy("events.amazonaws.com", "sqs:SendMessage", att("Heard")),
            },
        },
        "Rule": {
            "Type": "AWS::Events::Rule",
            "Properties": {
                "EventPattern": {"source": ["aws.glue"], "detail-type": ["Glue Crawler State Change"]},
                "State": "ENABLED",
                "Targets": [{"Id": "heard", "Arn": att("Heard")}],
            },
        },
    }
    engine = start_engine(lake(tmp_path, more=more))
    engine.deploy()
    drop(engine, "a.json", SHOW)
    crawl(engine)
    engine.client("glue").delete_database(Name=DATABASE)
    crawl(engine)
    url = engine.resource("App", "Heard").physical_id
    messages = engine.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    details = [json.loads(message["Body"])["detail"] for message in messages]
    assert [detail["state"] for detail in details] == ["Started", "Succeeded", "Started", "Failed"]
    assert {detail["crawlerName"] for detail in details} == {CRAWLER}
    assert (details[1]["tablesCreated"], details[1]["tablesUpdated"]) == ("1", "0")
    assert int(details[1]["runningTime (sec)"]) >= 45
    assert "EntityNotFoundException" in details[3]["errorMessage"]
