"""The pure half of a delivery stream: prefixes, de-aggregation, and what a function's answer may not be."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from rehearsal.engine.firehose.aggregation import MAGIC
from rehearsal.engine.firehose.configuration import DeliveryStream
from rehearsal.engine.firehose.prefix import PartitionKeyMissing, Prefix
from rehearsal.engine.firehose.records import Failed, StreamRecord, take_apart
from rehearsal.engine.firehose.transform import Answer, Problem, event, read_answer

NOON = datetime(2030, 1, 2, 12, 30, tzinfo=UTC)
CONFIG = DeliveryStream(
    name="delivery",
    arn="arn:delivery",
    source_arn="arn:stream",
    source_role_arn="arn:role",
    role_arn="arn:role",
    bucket="lake",
    prefix=Prefix(""),
    error_prefix=Prefix(""),
    extension="",
    compressed=False,
    buffer_bytes=1,
    buffer_s=1,
    partitioned=True,
    delimiter=b"\n",
    deaggregation="DELIMITED",
    append=b"",
    transform=None,
    log_group="",
    log_stream="",
)


def stream_record(data: bytes) -> dict[str, Any]:
    return {
        "Data": data,
        "SequenceNumber": "495",
        "PartitionKey": "p",
        "ApproximateArrivalTimestamp": NOON,
    }


def parts_of(data: bytes, config: DeliveryStream = CONFIG) -> list[StreamRecord | Failed]:
    return list(take_apart(stream_record(data), "shard", config))


def records(*data: bytes) -> list[StreamRecord]:
    found = [part for one in data for part in parts_of(one)]
    return [replace(part, record_id=str(n)) for n, part in enumerate(found) if isinstance(part, StreamRecord)]


def answer(*rows: dict[str, Any]) -> bytes:
    return json.dumps({"records": rows}).encode()


def ok(record_id: str, data: str = "eA==") -> dict[str, Any]:
    return {"recordId": record_id, "result": "Ok", "data": data, "metadata": {"partitionKeys": {"k": "v"}}}


def read(payload: bytes, *data: bytes) -> Answer | Problem:
    return read_answer(payload, records(*data), lambda_arn="arn:function", ended=NOON, needs_keys=True, attempts=1)


@pytest.mark.parametrize(
    ("pattern", "rendered"),
    [
        ("", "2030/01/02/12/"),
        ("raw/", "raw/2030/01/02/12/"),
        ("raw/!{timestamp:yyyy-MM-dd-HH}/", "raw/2030-01-02-12/"),
        ("!{timestamp:yyyy'T'MM}/!{partitionKeyFromLambda:k}/", "2030T01/v/"),
        ("type=!{partitionKeyFromLambda:k}/", "type=v/"),
    ],
)
def test_a_prefix_is_made_of_arrival_time_and_partition_keys(pattern: str, rendered: str) -> None:
    assert Prefix(pattern).render(NOON, keys={"k": "v"}) == rendered


def test_an_error_prefix_holds_the_kind_of_error() -> None:
    pattern = "errors/!{firehose:error-output-type}/!{timestamp:HH}/"
    assert Prefix(pattern).render(NOON, error_type="processing-failed") == "errors/processing-failed/12/"
    assert Prefix("e/").render(NOON, error_type="processing-failed") == "e/processing-failed/2030/01/02/12/"


def test_a_prefix_follows_its_time_zone() -> None:
    assert Prefix("!{timestamp:HH}", time_zone="Asia/Tokyo").render(NOON) == "21"


def test_a_missing_partition_key_is_named() -> None:
    with pytest.raises(PartitionKeyMissing, match="hour"):
        Prefix("!{partitionKeyFromLambda:hour}/").render(NOON, keys={"k": "v"})


@pytest.mark.parametrize("pattern", ["!{timestamp:QQ}", "!{partitionKeyFromQuery:x}", "!{firehose:colour}", "!{open"])
def test_an_expression_that_is_not_evaluated_is_a_problem(pattern: str) -> None:
    assert Prefix(pattern).problem


def test_each_line_of_a_stream_record_is_a_record_of_its_own() -> None:
    parts = parts_of(b"a\nb\n\nc\n")
    assert [part.data for part in parts if isinstance(part, StreamRecord)] == [b"a", b"b", b"c"]
    assert len({part.record_id for part in parts if isinstance(part, StreamRecord)}) == 3
    assert [part.subsequence for part in parts if isinstance(part, StreamRecord)] == [0, 1, 2]


def test_an_empty_stream_record_is_still_one_record() -> None:
    assert len(parts_of(b"\n")) == 1


def test_no_more_than_five_hundred_parts_are_made_and_nothing_is_lost() -> None:
    data = b"\n".join(b"%d" % number for number in range(600))
    parts = [part for part in parts_of(data) if isinstance(part, StreamRecord)]
    assert len(parts) == 500
    assert b"\n".join(part.data for part in parts) == data


def aggregated(*rows: tuple[bytes, bytes]) -> bytes:
    """A producer library's aggregate of (partition key, data) rows, each shorter than 128 bytes."""
    body = b"".join(b"\x0a" + bytes([len(key)]) + key for key, _ in rows)
    for index, (_, data) in enumerate(rows):
        record = b"\x08" + bytes([index]) + b"\x1a" + bytes([len(data)]) + data
        body += b"\x1a" + bytes([len(record)]) + record
    return MAGIC + body + hashlib.md5(body, usedforsecurity=False).digest()


def test_a_producer_librarys_aggregate_is_taken_apart_before_the_lines_in_it() -> None:
    parts = [p for p in parts_of(aggregated((b"k1", b"a\nb"), (b"k2", b"c"))) if isinstance(p, StreamRecord)]
    assert [(part.data, part.partition_key) for part in parts] == [(b"a", "k1"), (b"b", "k1"), (b"c", "k2")]
    assert len({part.record_id for part in parts}) == 3


def test_an_aggregate_with_a_wrong_digest_is_one_plain_record() -> None:
    data = aggregated((b"k1", b"a"))[:-1] + b"!"
    parts = parts_of(data, replace(CONFIG, deaggregation=""))
    assert [part.data for part in parts if isinstance(part, StreamRecord)] == [data]


def test_json_objects_one_after_another_are_taken_apart_and_the_unreadable_rest_fails() -> None:
    config = replace(CONFIG, deaggregation="JSON", delimiter=None)
    good = parts_of(b'{"a":1}{"b":2}\n{"c":3}', config)
    assert [part.data for part in good if isinstance(part, StreamRecord)] == [b'{"a":1}', b'{"b":2}', b'{"c":3}']
    first, failed = parts_of(b'{"a":1}{"b":', config)
    assert isinstance(first, StreamRecord)
    assert isinstance(failed, Failed)
    assert failed.record.data == b'{"b":'


def test_the_event_is_what_a_function_gets_from_a_stream() -> None:
    one = records(b"hello")[0]
    body = json.loads(event([one], invocation_id="i", stream_arn="d", source_arn="s", region="r"))
    assert body["sourceKinesisStreamArn"] == "s"
    assert body["records"] == [
        {
            "recordId": "0",
            "approximateArrivalTimestamp": int(NOON.timestamp() * 1000),
            "data": base64.b64encode(b"hello").decode(),
            "kinesisRecordMetadata": {
                "sequenceNumber": "495",
                "subsequenceNumber": 0,
                "partitionKey": "p",
                "shardId": "shard",
                "approximateArrivalTimestamp": int(NOON.timestamp() * 1000),
            },
        }
    ]


def test_an_answer_for_every_record_passes() -> None:
    found = read(answer(ok("0"), {"recordId": "1", "result": "Dropped"}), b"a", b"b")
    assert isinstance(found, Answer)
    assert [one.data for one in found.passed] == [b"x"]
    assert found.passed[0].keys == {"k": "v"}
    assert found.dropped == 1


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (b"not json", "Lambda.JsonProcessingException"),
        (b"[]", "Lambda.JsonProcessingException"),
        (b'{"rows": []}', "Lambda.JsonProcessingException"),
        (answer(ok("0")), "Lambda.MissingRecordId"),
        (answer(ok("0"), ok("0"), ok("1")), "Lambda.DuplicatedRecordId"),
    ],
)
def test_an_answer_that_breaks_the_contract_fails_the_whole_batch(payload: bytes, code: str) -> None:
    found = read(payload, b"a", b"b")
    assert isinstance(found, Problem)
    assert found.code == code


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (ok("0", data="***"), "Lambda.JsonProcessingException"),
        ({"recordId": "0", "result": "Ok"}, "Lambda.JsonProcessingException"),
        ({"recordId": "0", "result": "ProcessingFailed", "data": ""}, "Lambda.ProcessingFailedStatus"),
        ({"recordId": "0", "result": "ok", "data": "eA=="}, "Lambda.InvalidStatus"),
    ],
)
def test_one_bad_record_fails_alone(row: dict[str, Any], code: str) -> None:
    found = read(answer(row, ok("1")), b"a", b"b")
    assert isinstance(found, Answer)
    assert [one.code for one in found.failed] == [code]
    assert len(found.passed) == 1
    line = json.loads(found.failed[0].line())
    assert base64.b64decode(line["rawData"]) == b"a"
    assert line["lambdaArn"] == "arn:function"
    assert set(line) == {
        "attemptsMade",
        "arrivalTimestamp",
        "errorCode",
        "errorMessage",
        "attemptEndingTimestamp",
        "rawData",
        "lambdaArn",
    }
