"""The ingest function as Lambda calls it, with the services behind it played on this machine."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import boto3
import pytest
from moto import mock_aws

from rehearsal.scenario.catalog_service import NOT_FOUND, SERVER_ERROR, CatalogService

EVENTS = Path(__file__).parents[2] / "events" / "sqs"
HANDLER = "lambdas.ingest_show_catalog.handler"
REGION = "eu-west-1"


class Context:
    """What the function reads of Lambda's context object."""

    function_name = "ingest-show-catalog"
    memory_limit_in_mb = 256
    invoked_function_arn = f"arn:aws:lambda:{REGION}:123456789012:function:ingest-show-catalog"
    aws_request_id = "9d1c5b4e-0000-4000-8000-000000000001"

    def get_remaining_time_in_millis(self) -> int:
        return 60_000


class Surroundings:
    """The services around the function: what is in them, and a way to call it."""

    def __init__(self, catalog: CatalogService, *, service_name: str) -> None:
        self.catalog = catalog
        self.service_name = service_name
        self.kinesis = boto3.client("kinesis", region_name=REGION)
        self.sqs = boto3.client("sqs", region_name=REGION)
        self.secrets = boto3.client("secretsmanager", region_name=REGION)
        self.kinesis.create_stream(StreamName="events", ShardCount=1)
        self.queue_url = self.sqs.create_queue(QueueName="dead-letters")["QueueUrl"]
        self.secret_arn = self.secrets.create_secret(Name="token", SecretString="t")["ARN"]

    def environment(self) -> dict[str, str]:
        return {
            "AWS_DEFAULT_REGION": REGION,
            "STREAM_NAME": "events",
            "CATALOG_BASE_URL": self.catalog.base_url,
            "CATALOG_TOKEN_SECRET_ARN": self.secret_arn,
            "DEAD_LETTER_QUEUE_URL": self.queue_url,
            "FILTERED_FIELDS": "internal_notes",
            "RETRY_BACKOFF_SECONDS": "0.001",
            "POWERTOOLS_SERVICE_NAME": self.service_name,
            "POWERTOOLS_METRICS_NAMESPACE": "Amp/test",
        }

    def call(self, event: dict[str, Any]) -> list[str]:
        """Message ids that go back to the queue."""
        module: ModuleType = sys.modules.get(HANDLER) or importlib.import_module(HANDLER)
        answer = module.handler(event, Context())
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]

    def records(self) -> list[dict[str, Any]]:
        shard = self.kinesis.describe_stream(StreamName="events")["StreamDescription"]["Shards"][0]["ShardId"]
        iterator = self.kinesis.get_shard_iterator(
            StreamName="events", ShardId=shard, ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        return [dict(record) for record in self.kinesis.get_records(ShardIterator=iterator)["Records"]]

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(record["Data"]) for record in self.records()]

    def dead_letters(self) -> list[dict[str, Any]]:
        answer = self.sqs.receive_message(
            QueueUrl=self.queue_url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
        )
        return [
            {
                "body": message["Body"],
                **{name: value["StringValue"] for name, value in message["MessageAttributes"].items()},
            }
            for message in answer.get("Messages", [])
        ]


@pytest.fixture
def around(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[Surroundings]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, "testing")
    show = {"id": "show-1041", "version": 7, "title": "Nachtgespräche 夜話", "internal_notes": "call the lawyer"}
    with mock_aws(), CatalogService(token="t", shows=[show]) as catalog:
        # A logger lives as long as the process and keeps the output of the test that made it: one name for each test.
        surroundings = Surroundings(catalog, service_name=request.node.name)
        for name, value in surroundings.environment().items():
            monkeypatch.setenv(name, value)
        sys.modules.pop(HANDLER, None)
        yield surroundings
        sys.modules.pop(HANDLER, None)


def _sample(name: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
    return event


def _batch(**bodies: object) -> dict[str, Any]:
    texts = {name: body if isinstance(body, str) else json.dumps(body) for name, body in bodies.items()}
    return {
        "Records": [
            {"messageId": name, "receiptHandle": "r", "body": text, "attributes": {"SentTimestamp": "1794988800650"}}
            for name, text in texts.items()
        ]
    }


@pytest.mark.parametrize("sample", ["sns_wrapped", "raw"])
def test_a_show_change_is_on_the_stream_with_the_show_as_partition_key(around: Surroundings, sample: str) -> None:
    assert around.call(_sample(sample)) == []
    (record,) = around.records()
    assert record["PartitionKey"] == "show-1041"
    assert record["Data"].endswith(b"\n")
    show = json.loads(record["Data"])["show"]
    assert show == {"id": "show-1041", "version": 7, "title": "Nachtgespräche 夜話"}
    assert around.dead_letters() == []


def test_a_change_delivered_twice_has_one_event_id(around: Surroundings) -> None:
    around.call(_sample("sns_wrapped"))
    around.call(_sample("raw"))
    first, second = around.events()
    assert first["event_id"] == second["event_id"]


def test_invocations_share_connection_and_token(around: Surroundings) -> None:
    around.call(_sample("raw"))
    around.secrets.delete_secret(SecretId=around.secret_arn, ForceDeleteWithoutRecovery=True)
    assert around.call(_sample("raw")) == []
    assert around.catalog.connections == 1


def test_a_mixed_batch_fails_only_what_may_yet_succeed(around: Surroundings) -> None:
    around.catalog.put({"id": "down"})
    around.catalog.put({"id": "hidden"})
    around.catalog.script("down", *[SERVER_ERROR] * 3)
    around.catalog.script("hidden", NOT_FOUND)
    failed = around.call(
        _batch(
            good={"show_id": "show-1041"},
            again={"show_id": "show-1041"},
            broken="{",
            down={"show_id": "down"},
            hidden={"show_id": "hidden"},
        )
    )
    assert failed == ["down"]
    assert [event["show"]["id"] for event in around.events()] == ["show-1041"]
    letters = {letter["message_id"]: letter for letter in around.dead_letters()}
    assert {name: letter["reason_code"] for name, letter in letters.items()} == {
        "broken": "not_json",
        "hidden": "show_not_found",
    }
    assert letters["broken"]["body"] == "{"
    assert letters["hidden"]["reason"] == "The catalog service does not have the show (404)."
    assert around.catalog.calls == {"show-1041": 1, "down": 3, "hidden": 1}


def test_a_batch_of_failures_alone_raises_nothing(around: Surroundings) -> None:
    around.kinesis.delete_stream(StreamName="events")
    assert around.call(_sample("raw")) == [_sample("raw")["Records"][0]["messageId"]]


def test_a_message_stays_when_the_dead_letter_queue_is_gone(around: Surroundings) -> None:
    around.sqs.delete_queue(QueueUrl=around.queue_url)
    assert around.call(_batch(broken="{")) == ["broken"]


def test_metrics_and_logs_say_what_happened_and_neither_token_nor_content(
    around: Surroundings, capsys: pytest.CaptureFixture[str]
) -> None:
    around.secrets.put_secret_value(SecretId=around.secret_arn, SecretString="rotated-secret-value")
    around.catalog.token = "rotated-secret-value"
    around.call(_batch(good={"show_id": "show-1041"}, broken='{"by": "anna@example.org"}'))
    output = capsys.readouterr().out
    lines = [json.loads(line) for line in output.splitlines()]
    (metrics,) = [line for line in lines if "_aws" in line]
    (definition,) = metrics["_aws"]["CloudWatchMetrics"]
    assert definition["Namespace"] == "Amp/test"
    assert definition["Dimensions"] == [["service"]]
    assert metrics["service"] == around.service_name
    assert metrics["ShowsPublished"] == metrics["ApiCalls"] == metrics["DeadLettered"] == [1.0]
    assert metrics["MessagesFailed"] == metrics["RefusedEntries"] == metrics["ApiUnauthorized"] == [0.0]
    letter = next(line for line in lines if line.get("reason_code"))
    assert (letter["message_id"], letter["reason_code"], letter["level"]) == ("broken", "no_show_id", "WARNING")
    assert all(word not in output for word in ("rotated", "anna", "夜話", "lawyer"))


def test_the_function_starts_without_loading_the_aws_sdk(around: Surroundings) -> None:
    script = f"import sys, {HANDLER}; sys.exit('boto3' in sys.modules)"
    environment = {**around.environment(), "PYTHONPATH": str(EVENTS.parents[2])}
    subprocess.run([sys.executable, "-c", script], env=environment, check=True)  # noqa: S603
