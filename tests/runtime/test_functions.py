"""The functions under Lambda's own runtime client: its JSON, its limits, its deadline, its cold start."""

from __future__ import annotations

import json
import re
import urllib.request
from base64 import b64decode, b64encode
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import boto3
import pytest

pytest.importorskip("awslambdaric", reason="the runtime client; no requirements file pins it yet (4.2.2 was tried)")
pytest.importorskip("orjson", reason="the flattening function's own package")

from rehearsal.scenario.catalog_service import CatalogService, slow
from tests.runtime.runtime_api import PAYLOAD_BYTES, Outcome, Runtime

moto_server = pytest.importorskip("moto.server", reason="needs requirements-dev.txt (moto[server])")

REGION = "eu-west-1"
FLATTEN = "lambdas.flatten_events.handler.handler"
INGEST = "lambdas.ingest_show_catalog.handler.handler"
FLATTEN_ENVIRONMENT = {"METRICS_NAMESPACE": "Amp/test", "SERVICE": "flatten-events"}


@pytest.fixture
def flatten() -> Iterator[Runtime]:
    """The flattening function, not yet started."""
    with Runtime(FLATTEN, FLATTEN_ENVIRONMENT) as runtime:
        yield runtime


def request(*lines: bytes) -> bytes:
    """A transformation request of Firehose without a stream to put records back on."""
    records = [
        {
            "recordId": f"record-{number}",
            "approximateArrivalTimestamp": 1_794_998_401_000,
            "data": b64encode(line).decode(),
        }
        for number, line in enumerate(lines)
    ]
    return json.dumps({"invocationId": "i", "deliveryStreamArn": "arn", "region": REGION, "records": records}).encode()


def like(event_id: str, filler: str = "") -> bytes:
    body: dict[str, Any] = {
        "event_id": event_id,
        "event_type": "like",
        "occurred_at": 1_794_998_400_000,
        "show": {"id": "show-1"},
        "like": {"count": 1},
    }
    return json.dumps({**body, **({"filler": filler} if filler else {})}).encode()


def rows(outcome: Outcome) -> list[dict[str, Any]]:
    """What landed, numbers with all their digits."""
    answered = json.loads(outcome.payload)["records"]
    return [json.loads(b64decode(one["data"]), parse_float=Decimal) for one in answered if one["result"] == "Ok"]


def test_a_request_of_six_megabytes_is_answered_record_by_record(flatten: Runtime) -> None:
    lines = [like(f"e-{number}", "x" * 1_000) for number in range(3_700)]
    payload = request(*lines)
    assert 0.9 * PAYLOAD_BYTES < len(payload) <= PAYLOAD_BYTES
    outcome = flatten.invoke(payload)
    assert outcome.kind == "response"
    assert [one["recordId"] for one in json.loads(outcome.payload)["records"]] == [
        f"record-{number}" for number in range(len(lines))
    ]


def test_a_response_that_would_pass_six_megabytes_stops_short_of_it_as_the_client_writes_it(flatten: Runtime) -> None:
    outcome = flatten.invoke(request(*(like(f"e-{number}", "\\" * 300_000) for number in range(7))))
    assert outcome.kind == "response"
    assert 0.7 * PAYLOAD_BYTES < len(outcome.payload) <= PAYLOAD_BYTES
    results = [one["result"] for one in json.loads(outcome.payload)["records"]]
    assert set(results) == {"Ok", "ProcessingFailed"}, "there is no stream to put the rest back on"
    assert len(results) == 7


def test_numbers_beyond_a_float_pass_the_clients_json_digit_for_digit(flatten: Runtime) -> None:
    line = like("e").replace(b'"count": 1', b'"count": 1, "big": 9007199254740993, "fine": 0.12345678901234567890123')
    (row,) = rows(flatten.invoke(request(line)))
    assert row["like_count"] == 1
    (extra,) = [value for value in row.values() if "fine" in str(value)]
    assert "9007199254740993" in str(extra)
    assert "0.12345678901234567890123" in str(extra)


def test_a_process_answers_one_invocation_after_another_and_a_bad_event_ends_none(flatten: Runtime) -> None:
    for _ in range(3):
        assert rows(flatten.invoke(request(like("a"), b"\xff")))[0]["event_id"] == "a"
    failed = flatten.invoke(b"{}")
    assert (failed.kind, json.loads(failed.payload)["errorType"]) == ("error", "KeyError")
    assert len(rows(flatten.invoke(request(like("a"))))) == 1
    assert flatten.starts == 1


def test_a_cold_start_of_the_flattening_function_imports_no_sdk() -> None:
    with Runtime(FLATTEN, {**FLATTEN_ENVIRONMENT, "PYTHONPROFILEIMPORTTIME": "1"}) as runtime:
        assert runtime.invoke(request(like("a"))).kind == "response"
        runtime.end()
        imported = set(re.findall(rb"\| +([\w.]+)\n", runtime.log))
    assert b"orjson" in imported
    assert {name.split(b".")[0] for name in imported} & {b"boto3", b"botocore", b"aws_lambda_powertools"} == set()


def test_a_missing_variable_ends_the_cold_start_and_is_named() -> None:
    with Runtime(FLATTEN, {"SERVICE": "flatten-events"}) as runtime:
        outcome = runtime.invoke(request(like("a")))
    assert outcome.kind == "error"
    assert "METRICS_NAMESPACE" in json.loads(outcome.payload)["errorMessage"]


# --- the ingest function, whose time depends on others ---------------------------------------------------------


@pytest.fixture
def catalog() -> Iterator[CatalogService]:
    with CatalogService(token="t") as service:
        yield service


@pytest.fixture
def ingest(catalog: CatalogService) -> Iterator[Runtime]:
    """The ingest function with its services in a server of their own."""
    server = moto_server.ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    urllib.request.urlopen(urllib.request.Request(f"http://{host}:{port}/moto-api/reset", method="POST"))
    given = {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "b",
    }

    def client(service: Any) -> Any:
        return boto3.client(
            service,
            endpoint_url=given["AWS_ENDPOINT_URL"],
            region_name=REGION,
            aws_access_key_id="a",
            aws_secret_access_key="b",
        )

    client("kinesis").create_stream(StreamName="events", ShardCount=1)
    environment = {
        **given,
        "STREAM_NAME": "events",
        "CATALOG_BASE_URL": catalog.base_url,
        "CATALOG_TOKEN_SECRET_ARN": client("secretsmanager").create_secret(Name="token", SecretString="t")["ARN"],
        "DEAD_LETTER_QUEUE_URL": client("sqs").create_queue(QueueName="dead-letters")["QueueUrl"],
        "REQUEST_TIMEOUT_SECONDS": "60",
        "POWERTOOLS_SERVICE_NAME": "ingest-show-catalog",
        "POWERTOOLS_METRICS_NAMESPACE": "Amp/test",
    }
    try:
        with Runtime(INGEST, environment) as runtime:
            yield runtime
    finally:
        server.stop()


def batch(*show_ids: str) -> bytes:
    """An event of SQS with a change of each show."""
    records = [
        {
            "messageId": f"message-{show_id}",
            "receiptHandle": "r",
            "body": json.dumps({"show_id": show_id, "version": 1}),
            "attributes": {"SentTimestamp": "1794998400000", "ApproximateReceiveCount": "1"},
            "messageAttributes": {},
            "md5OfBody": "",
            "eventSource": "aws:sqs",
            "eventSourceARN": f"arn:aws:sqs:{REGION}:123456789012:changes",
            "awsRegion": REGION,
        }
        for show_id in show_ids
    ]
    return json.dumps({"Records": records}).encode()


def test_a_catalog_service_that_is_too_slow_costs_its_own_messages_and_no_time_out(
    ingest: Runtime, catalog: CatalogService
) -> None:
    for show_id in ("quick", "slow"):
        catalog.put({"id": show_id, "title": show_id, "version": 1})
    assert json.loads(ingest.invoke(batch("quick")).payload) == {"batchItemFailures": []}
    catalog.script("slow", *[slow(30)] * 5)
    outcome = ingest.invoke(batch("quick", "slow"), timeout_s=14.0)
    assert outcome.kind == "response", "it answers before the deadline that the client told it"
    assert json.loads(outcome.payload) == {"batchItemFailures": [{"itemIdentifier": "message-slow"}]}
    assert ingest.starts == 1


def test_an_invocation_that_runs_out_of_time_is_killed_and_the_next_starts_anew(
    ingest: Runtime, catalog: CatalogService
) -> None:
    catalog.put({"id": "a", "title": "a", "version": 1})
    assert ingest.invoke(batch("a"), timeout_s=0.05).kind == "timeout", "no cold start is that quick"
    assert json.loads(ingest.invoke(batch("a")).payload) == {"batchItemFailures": []}
    assert ingest.starts == 2
