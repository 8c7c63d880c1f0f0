"""Every dataset has a crawler that hears of its files alone, and a function that starts it."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from config import STAGES
from config.catalog import Catalog
from config.model import Part
from contracts.datasets import DATASETS, Dataset, Format
from lambdas.start_crawlers.logic import FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS
from stacks import catalog
from tests.stacks.assembly import Assembly, Resource, as_list, flat, synthesize
from tests.stacks.rendering import statements_of

A_DAY = 86_400


def _crawlers(assembly: Assembly) -> dict[str, Resource]:
    """By the prefix that each crawls."""
    return {
        flat(each.properties["Targets"]["S3Targets"][0]["Path"]).partition(">/")[2]: each
        for each in assembly.resources("AWS::Glue::Crawler")
    }


def _target(crawler: Resource) -> dict[str, Any]:
    (target,) = crawler.properties["Targets"]["S3Targets"]
    return dict(target)


def _queue(assembly: Assembly, crawler: Resource) -> Resource:
    queue = assembly.target("Catalog", _target(crawler)["EventQueueArn"])
    assert queue is not None
    return queue


def _subscription(assembly: Assembly, queue: Resource) -> dict[str, Any]:
    (found,) = (
        each.properties
        for each in assembly.resources("AWS::SNS::Subscription")
        if assembly.target(each.stack, each.properties["Endpoint"]) == queue
    )
    return found


def test_each_dataset_has_one_crawler_and_no_other_is_there(assembly: Assembly) -> None:
    crawlers = _crawlers(assembly)
    assert set(crawlers) == {dataset.prefix for dataset in DATASETS}
    assert len(assembly.resources("AWS::Glue::Crawler")) == len(DATASETS)


def test_a_crawler_bears_the_name_by_which_it_is_started(assembly: Assembly) -> None:
    prefix = _function(assembly).properties["Environment"]["Variables"]["CRAWLER_NAME_PREFIX"]
    for dataset in DATASETS:
        assert _crawlers(assembly)[dataset.prefix].properties["Name"] == f"{prefix}{dataset.name}"


def _function(assembly: Assembly) -> Resource:
    (function,) = (each for each in assembly.resources("AWS::Lambda::Function") if each.stack == "Catalog")
    return function


def test_crawlers_follow_events_and_keep_the_tables_that_others_read(assembly: Assembly) -> None:
    for crawler in assembly.resources("AWS::Glue::Crawler"):
        assert crawler.properties["RecrawlPolicy"] == {"RecrawlBehavior": "CRAWL_EVENT_MODE"}
        assert crawler.properties["SchemaChangePolicy"] == {
            "UpdateBehavior": "UPDATE_IN_DATABASE",
            "DeleteBehavior": "DEPRECATE_IN_DATABASE",
        }
        assert "Schedule" not in crawler.properties


@pytest.mark.parametrize("dataset", DATASETS, ids=lambda dataset: dataset.name)
def test_a_crawler_makes_the_tables_that_the_contract_names(dataset: Dataset, dev: Assembly) -> None:
    crawler = _crawlers(dev)[dataset.prefix].properties
    level = json.loads(crawler["Configuration"])["Grouping"]["TableLevelConfiguration"]
    folder = ["<bucket>", *f"{dataset.prefix}gigs/2026".split("/")][level - 1]
    expected = f"{dataset.table_name}_gigs" if dataset.by_folder else dataset.table_name
    assert crawler["TablePrefix"] + folder == expected
    assert flat(crawler["DatabaseName"]).endswith("RawDatabaseD89F1B75>")


def test_a_crawler_hears_of_its_own_files_on_a_queue_of_its_own(assembly: Assembly) -> None:
    queues = []
    for prefix, crawler in _crawlers(assembly).items():
        queue = _queue(assembly, crawler)
        queues.append(queue.id)
        subscription = _subscription(assembly, queue)
        assert subscription["FilterPolicyScope"] == "MessageBody"
        assert subscription["FilterPolicy"] == {"Records": {"s3": {"object": {"key": [{"prefix": prefix}]}}}}
        topic = assembly.target("Catalog", subscription["TopicArn"])
        assert topic is not None
        assert topic.id.startswith("BatchFiles")
        dead_letters = assembly.target("Catalog", queue.properties["RedrivePolicy"]["deadLetterTargetArn"])
        assert dead_letters is not None
        assert dead_letters == assembly.target("Catalog", _target(crawler)["DlqEventQueueArn"])
    assert len(set(queues)) == len(DATASETS)


def test_the_function_hears_of_every_file_on_another_queue(assembly: Assembly) -> None:
    (mapping,) = (each for each in assembly.resources("AWS::Lambda::EventSourceMapping") if each.stack == "Catalog")
    queue = assembly.target("Catalog", mapping.properties["EventSourceArn"])
    assert queue is not None
    assert queue not in [_queue(assembly, crawler) for crawler in _crawlers(assembly).values()]
    assert "FilterPolicy" not in _subscription(assembly, queue)
    assert flat(_function(assembly).properties["Environment"]["Variables"]["QUEUE_URL"]) == f"<{queue.id}>"


def test_a_message_outlasts_a_crawl_of_a_day_and_the_queue_keeps_it_that_long(assembly: Assembly) -> None:
    (queue,) = (each for each in assembly.resources("AWS::SQS::Queue") if each.id.startswith("BatchFilesQueue"))
    receives = queue.properties["RedrivePolicy"]["maxReceiveCount"]
    waits = [min(FIRST_WAIT_SECONDS * 2**number, LONGEST_WAIT_SECONDS) for number in range(receives - 1)]
    assert sum(waits) > A_DAY
    assert queue.properties["MessageRetentionPeriod"] > 1.2 * sum(waits)  # waits are spread


def test_csv_datasets_have_their_header_read_and_others_are_left_to_glue(assembly: Assembly) -> None:
    classifier = assembly.one("AWS::Glue::Classifier")
    assert classifier.properties["CsvClassifier"]["ContainsHeader"] == "PRESENT"
    assert classifier.properties["CsvClassifier"]["QuoteSymbol"] == '"'
    for dataset in DATASETS:
        classifiers = _crawlers(assembly)[dataset.prefix].properties.get("Classifiers", [])
        assert [assembly.target("Catalog", each) for each in classifiers] == (
            [classifier] if dataset.format is Format.CSV else []
        )


def test_crawlers_log_under_a_key_that_lets_cloudwatch_use_it_for_them(assembly: Assembly) -> None:
    for crawler in assembly.resources("AWS::Glue::Crawler"):
        security = assembly.target("Catalog", crawler.properties["CrawlerSecurityConfiguration"])
        assert security is not None
        logs = security.properties["EncryptionConfiguration"]["CloudWatchEncryption"]
        key = assembly.target("Catalog", logs["KmsKeyArn"])
        assert key is not None
        patterns = [
            flat(statement["Condition"]["ArnLike"]["kms:EncryptionContext:aws:logs:arn"])
            for statement in key.properties["KeyPolicy"]["Statement"]
            if flat(statement["Principal"].get("Service", "")).startswith("logs.")
        ]
        assert any(pattern.endswith(":log-group:/aws-glue/crawlers*") for pattern in patterns)


def test_a_crawler_reads_its_own_prefix_and_writes_its_own_tables(assembly: Assembly) -> None:
    for dataset in DATASETS:
        role = assembly.target("Catalog", _crawlers(assembly)[dataset.prefix].properties["Role"])
        assert role is not None
        statements = statements_of(assembly, role)
        reached = [each for statement in statements for each in as_list(statement["Resource"])]
        assert [each.partition("/")[2] for each in reached if ":s3:::" in each and "/" in each] == [
            f"{dataset.prefix}*"
        ]
        tables = [each.rpartition("/")[2] for each in reached if ":table/" in each]
        further = f"{dataset.table_name}_*"
        assert tables == ([further] if dataset.by_folder else [dataset.table_name, further])
        (listing,) = (each for each in statements if "s3:ListBucket" in as_list(each["Action"]))
        prefixes = listing["Condition"]["StringLike"]["s3:prefix"]
        assert prefixes == [dataset.prefix.rstrip("/"), f"{dataset.prefix}*"]


def test_a_crawl_that_fails_is_told_to_the_alarm_topic(assembly: Assembly) -> None:
    (rule,) = (each for each in assembly.resources("AWS::Events::Rule") if each.stack == "Catalog")
    pattern = rule.properties["EventPattern"]
    assert pattern["source"] == ["aws.glue"]
    assert pattern["detail-type"] == ["Glue Crawler State Change"]
    assert pattern["detail"]["state"] == ["Failed"]
    names = {each.properties["Name"] for each in assembly.resources("AWS::Glue::Crawler")}
    assert set(pattern["detail"]["crawlerName"]) == names
    (target,) = rule.properties["Targets"]
    topic = assembly.target("Catalog", target["Arn"])
    assert topic is not None
    assert topic.id.startswith("Alarms")
    assert "docs/runbooks/a-crawler-is-stuck.md" in target["InputTransformer"]["InputTemplate"]


def test_a_new_dataset_is_one_declaration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    added = Dataset(name="venues", owner="a team", description="Where shows are played.", format=Format.PARQUET)
    monkeypatch.setattr(catalog, "DATASETS", (*DATASETS, added))
    assembly = synthesize(replace(STAGES["dev"], parts=frozenset({Part.DATA_LAKE, Part.CATALOG})), tmp_path)
    crawler = _crawlers(assembly)[added.prefix]
    assert crawler.properties["Name"] == "amp-dev-batch-venues"
    assert _subscription(assembly, _queue(assembly, crawler))


def test_how_long_files_are_gathered_is_configured(tmp_path: Path) -> None:
    parts = frozenset({Part.DATA_LAKE, Part.CATALOG})
    stage = replace(STAGES["dev"], parts=parts, catalog=Catalog(gather_seconds=120))
    assembly = synthesize(stage, tmp_path)
    mapping = assembly.one("AWS::Lambda::EventSourceMapping").properties
    assert mapping["MaximumBatchingWindowInSeconds"] == 120
    assert mapping["BatchSize"] == 1_000
    assert "ReaderRoleArns" not in assembly.templates["Catalog"]["Outputs"]
