"""The function that starts crawlers as Lambda calls it, with the services behind it played on this machine."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

pytest.importorskip("pyparsing", reason="moto's Glue needs it; requirements-dev.txt brings it")

ROOT = Path(__file__).parents[3]
HANDLER = "lambdas.start_crawlers.handler"
REGION = "eu-west-1"


class Context:
    """What the function reads of Lambda's context object."""

    function_name = "start-crawlers"
    memory_limit_in_mb = 256
    invoked_function_arn = f"arn:aws:lambda:{REGION}:123456789012:function:start-crawlers"
    aws_request_id = "9d1c5b4e-0000-4000-8000-000000000002"

    def get_remaining_time_in_millis(self) -> int:
        return 60_000


class Surroundings:
    """The services around the function: what is in them, and a way to call it."""

    def __init__(self, *, service_name: str) -> None:
        self.service_name = service_name
        self.glue = boto3.client("glue", region_name=REGION)
        self.sqs = boto3.client("sqs", region_name=REGION)
        for dataset in ("shows", "catalog"):
            self.glue.create_crawler(
                Name=f"amp-test-batch-{dataset}", Role="crawler", Targets={"S3Targets": [{"Path": "s3://raw/"}]}
            )
        self.queue_url = self.sqs.create_queue(QueueName="files")["QueueUrl"]
        self.dead_letters_url = self.sqs.create_queue(QueueName="dead-letters")["QueueUrl"]

    def environment(self) -> dict[str, str]:
        return {
            "AWS_DEFAULT_REGION": REGION,
            "CRAWLER_NAME_PREFIX": "amp-test-batch-",
            "QUEUE_URL": self.queue_url,
            "DEAD_LETTER_QUEUE_URL": self.dead_letters_url,
            "HELD_SECONDS": "900",
            "POWERTOOLS_SERVICE_NAME": self.service_name,
            "POWERTOOLS_METRICS_NAMESPACE": "Amp/test",
        }

    def drop(self, *keys: str) -> None:
        for key in keys:
            self.sqs.send_message(
                QueueUrl=self.queue_url, MessageBody=json.dumps({"Records": [{"s3": {"object": {"key": key}}}]})
            )

    def call(self, *, age: float = 70.0) -> list[str]:
        """Receive what is in the queue as if it were ``age`` seconds old, call the function, and do what it says.

        Gives the keys of the files that were reported as failed.
        """
        answer = self.sqs.receive_message(QueueUrl=self.queue_url, MaxNumberOfMessages=10)
        records: list[dict[str, Any]] = [
            {
                "messageId": message["MessageId"],
                "receiptHandle": message["ReceiptHandle"],
                "body": message["Body"],
                "attributes": {
                    "SentTimestamp": str(int((time.time() - age) * 1000)),
                    "ApproximateReceiveCount": "1",
                },
            }
            for message in answer["Messages"]
        ]
        module = sys.modules.get(HANDLER) or importlib.import_module(HANDLER)
        failures = module.handler({"Records": records}, Context())["batchItemFailures"]
        failed = {failure["itemIdentifier"] for failure in failures}
        return [
            json.loads(record["body"])["Records"][0]["s3"]["object"]["key"]
            for record in records
            if record["messageId"] in failed
        ]

    def state(self, dataset: str) -> str:
        return str(self.glue.get_crawler(Name=f"amp-test-batch-{dataset}")["Crawler"]["State"])


@pytest.fixture
def around(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[Surroundings]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        # A logger lives as long as the process and keeps the output of the test that made it: one name for each test.
        surroundings = Surroundings(service_name=request.node.name)
        for name, value in surroundings.environment().items():
            monkeypatch.setenv(name, value)
        sys.modules.pop(HANDLER, None)
        yield surroundings
        sys.modules.pop(HANDLER, None)


def test_files_have_the_crawlers_of_their_datasets_started(around: Surroundings) -> None:
    around.drop("batch/shows/a.json", "batch/shows/b.json")
    assert around.call() == ["batch/shows/a.json", "batch/shows/b.json"]
    assert around.state("shows") == "RUNNING"
    assert around.state("catalog") == "READY"


def test_a_file_that_a_crawl_began_after_costs_no_start(around: Surroundings) -> None:
    around.glue.start_crawler(Name="amp-test-batch-shows")
    around.drop("batch/shows/a.json")
    assert around.call(age=20) == []
    assert len(around.glue.list_crawls(CrawlerName="amp-test-batch-shows")["Crawls"]) == 1


def test_a_file_that_must_come_again_stays_in_the_queue_and_is_hidden(around: Surroundings) -> None:
    around.sqs.set_queue_attributes(QueueUrl=around.queue_url, Attributes={"VisibilityTimeout": "0"})
    around.drop("batch/shows/a.json")
    assert around.call(age=5) == ["batch/shows/a.json"]
    assert "Messages" not in around.sqs.receive_message(QueueUrl=around.queue_url)
    assert around.state("shows") == "READY"


def test_a_file_of_no_dataset_is_in_the_dead_letter_queue_with_its_reason(around: Surroundings) -> None:
    around.drop("batch/payments/a.csv", "batch/shows/a.json")
    assert around.call() == ["batch/shows/a.json"]
    (letter,) = around.sqs.receive_message(QueueUrl=around.dead_letters_url, MessageAttributeNames=["All"])["Messages"]
    assert letter["MessageAttributes"]["reason_code"]["StringValue"] == "unknown_prefix"
    assert "batch/payments/a.csv" in letter["Body"]


def test_a_crawler_that_is_not_there_keeps_no_other_from_being_started(around: Surroundings) -> None:
    around.drop("batch/creators/a.parquet", "batch/shows/a.json")
    around.call()
    assert around.state("shows") == "RUNNING"


def test_metrics_and_logs_say_what_happened_and_name_no_file(
    around: Surroundings, capsys: pytest.CaptureFixture[str]
) -> None:
    around.drop("batch/shows/anna.json", "batch/payments/anna.csv", "batch/creators/anna.parquet")
    around.call()
    output = capsys.readouterr().out
    lines: list[dict[str, Any]] = [json.loads(line) for line in output.splitlines()]
    (metrics,) = [line for line in lines if "_aws" in line]
    (definition,) = metrics["_aws"]["CloudWatchMetrics"]
    assert (definition["Namespace"], definition["Dimensions"]) == ("Amp/test", [["service"]])
    names = [metric["Name"] for metric in definition["Metrics"]]
    assert {name: metrics[name] for name in names} == {
        "CrawlersStarted": [1.0],
        "FilesCovered": [0.0],
        "MessagesPostponed": [2.0],
        "UnknownPrefix": [1.0],
        "StartsFailed": [1.0],
    }
    assert next(line for line in lines if "started" in line)["started"] == ["shows"]
    assert "anna" not in output


def test_the_function_starts_without_loading_the_aws_sdk(around: Surroundings) -> None:
    script = f"import sys, {HANDLER}; sys.exit('boto3' in sys.modules)"
    environment = {**around.environment(), "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", script], env=environment, check=True)  # noqa: S603
