"""Table stream → function, as Lambda reads it: batches in order, windows, retries, divisions, what is given up."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.rehearsal.engine.assemblies import (
    LOGS,
    NEEDS,
    AssemblyWriter,
    Json,
    StartEngine,
    allow,
    att,
    role,
)

pytest.importorskip("time_machine", reason=NEEDS)

from rehearsal.engine.errors import DeploymentFailed, NotSettled, Unsupported

if TYPE_CHECKING:
    from rehearsal.engine.engine import Engine

HANDLER = """
import json

def handler(event, context):
    records = event["Records"]
    names = [record["dynamodb"]["Keys"]["name"]["S"] for record in records]
    print("GOT " + json.dumps(names))
    print("RECORD " + json.dumps(records[0]))
    if "raise" in names:
        raise RuntimeError("asked to")
    if "number" in names:
        return 7
    if "stranger" in names:
        return {"batchItemFailures": [{"itemIdentifier": "1"}]}
    numbers = [record["dynamodb"]["SequenceNumber"] for record in records]
    bad = [{"itemIdentifier": number} for name, number in zip(names, numbers) if name == "bad"]
    return {"batchItemFailures": bad}
"""
READS = ("dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator")


def stream_app(
    folder: Path, mapping: Json | None = None, *, reads: tuple[str, ...] = READS, sends: bool = True
) -> Path:
    """A table whose stream a function reads; given up records are told to a queue."""
    writer = AssemblyWriter(folder)
    statements = [LOGS, allow(list(reads), att("Table", "StreamArn"))]
    statements += [allow(["sqs:SendMessage"], att("Letters"))] if sends else []
    resources: Json = {
        "Letters": {"Type": "AWS::SQS::Queue"},
        "Table": {
            "Type": "AWS::DynamoDB::Table",
            "Properties": {
                "TableName": "settings",
                "AttributeDefinitions": [{"AttributeName": "name", "AttributeType": "S"}],
                "KeySchema": [{"AttributeName": "name", "KeyType": "HASH"}],
                "BillingMode": "PAY_PER_REQUEST",
                "StreamSpecification": {"StreamViewType": "KEYS_ONLY"},
            },
        },
        "Role": role("lambda.amazonaws.com", *statements),
        "Function": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "Code": writer.asset({"main.py": HANDLER}),
                "Handler": "main.handler",
                "Runtime": "python3.13",
                "Role": att("Role"),
                "Timeout": 5,
            },
        },
        "Mapping": {
            "Type": "AWS::Lambda::EventSourceMapping",
            "Properties": {
                "EventSourceArn": att("Table", "StreamArn"),
                "FunctionName": att("Function"),
                "StartingPosition": "TRIM_HORIZON",
                "MaximumRetryAttempts": 2,
                "DestinationConfig": {"OnFailure": {"Destination": att("Letters")}},
                **(mapping or {}),
            },
        },
    }
    outputs = {"Letters": {"Value": {"Ref": "Letters"}}, "Stream": {"Value": att("Table", "StreamArn")}}
    writer.stack("App", {"Resources": resources, "Outputs": outputs})
    return writer.write()


def put(engine: Engine, *names: str) -> None:
    for name in names:
        engine.client("dynamodb").put_item(TableName="settings", Item={"name": {"S": name}})


def printed(engine: Engine, word: str) -> list[Any]:
    """What the function printed after a word, in order."""
    logs, found = engine.client("logs"), []
    for group in logs.describe_log_groups()["logGroups"]:
        name = group["logGroupName"]
        for stream in logs.describe_log_streams(logGroupName=name)["logStreams"]:
            answer = logs.get_log_events(logGroupName=name, logStreamName=stream["logStreamName"], startFromHead=True)
            lines = [event["message"] for event in answer["events"]]
            found += [json.loads(line.removeprefix(word)) for line in lines if line.startswith(word)]
    return found


def batches(engine: Engine) -> list[list[str]]:
    return printed(engine, "GOT ")


def notices(engine: Engine) -> list[Json]:
    answer = engine.client("sqs").receive_message(QueueUrl=engine.outputs("App")["Letters"], MaxNumberOfMessages=10)
    return [json.loads(message["Body"]) for message in answer.get("Messages", [])]


def started(folder: Path, start_engine: StartEngine, mapping: Json | None = None, **options: Any) -> Engine:
    engine = start_engine(stream_app(folder, mapping, **options))
    engine.deploy()
    return engine


def test_the_changes_of_a_table_reach_the_function_in_their_order(tmp_path: Path, start_engine: StartEngine) -> None:
    engine = started(tmp_path, start_engine)
    put(engine, "first", "second", "third")
    engine.settle()
    put(engine, "fourth")
    engine.settle()

    assert batches(engine) == [["first", "second", "third"], ["fourth"]]
    record = printed(engine, "RECORD ")[0]
    assert (record["eventSource"], record["eventName"], record["eventVersion"]) == ("aws:dynamodb", "INSERT", "1.1")
    assert record["eventSourceARN"] == engine.outputs("App")["Stream"]
    change = record["dynamodb"]
    assert (change["Keys"], change["StreamViewType"]) == ({"name": {"S": "first"}}, "KEYS_ONLY")
    assert 0 <= change["ApproximateCreationDateTime"] - 1893499200 < 60
    assert change["SequenceNumber"].isdigit()


def test_a_window_gathers_and_a_full_batch_does_not_wait(tmp_path: Path, start_engine: StartEngine) -> None:
    engine = started(tmp_path, start_engine, {"BatchSize": 3, "MaximumBatchingWindowInSeconds": 20})
    put(engine, "a", "b", "c", "d")
    before = engine.clock.jumped_seconds
    engine.settle()

    assert batches(engine) == [["a", "b", "c"], ["d"]]
    assert 15 < engine.clock.jumped_seconds - before < 30


@pytest.mark.parametrize("position", ["TRIM_HORIZON", "LATEST"])
def test_what_is_written_after_the_mapping_is_read_from_either_position(
    tmp_path: Path, start_engine: StartEngine, position: str
) -> None:
    engine = started(tmp_path, start_engine, {"StartingPosition": position})
    put(engine, "after")
    engine.settle()
    assert batches(engine) == [["after"]]


def test_a_batch_is_tried_again_as_often_as_declared_and_then_told_to_the_queue(
    tmp_path: Path, start_engine: StartEngine
) -> None:
    engine = started(tmp_path, start_engine)
    put(engine, "good", "raise")
    engine.settle()
    put(engine, "later")
    engine.settle()

    assert batches(engine) == [["good", "raise"]] * 3 + [["later"]]
    (notice,) = notices(engine)
    assert notice["requestContext"]["condition"] == "RetryAttemptsExhausted"
    assert notice["requestContext"]["approximateInvokeCount"] == 3
    assert notice["requestContext"]["requestId"] == engine.invocations[2].request_id
    assert notice["responseContext"] == {
        "statusCode": 200,
        "executedVersion": "$LATEST",
        "functionError": "Unhandled",
    }
    told = notice["DDBStreamBatchInfo"]
    assert (told["batchSize"], told["streamArn"]) == (2, engine.outputs("App")["Stream"])
    assert int(told["endSequenceNumber"]) == int(told["startSequenceNumber"]) + 1
    assert told["approximateArrivalOfFirstRecord"].startswith("2030-01-01T12:0")


def test_with_partial_failures_the_rest_is_tried_from_the_first_that_failed(
    tmp_path: Path, start_engine: StartEngine
) -> None:
    engine = started(tmp_path, start_engine, {"FunctionResponseTypes": ["ReportBatchItemFailures"]})
    put(engine, "one", "bad", "two")
    engine.settle()

    assert batches(engine) == [["one", "bad", "two"], ["bad", "two"], ["bad", "two"]]
    (notice,) = notices(engine)
    assert notice["DDBStreamBatchInfo"]["batchSize"] == 2
    assert "functionError" not in notice["responseContext"]


@pytest.mark.parametrize("name", ["number", "stranger"])
def test_an_answer_that_cannot_be_read_fails_the_whole_batch(
    tmp_path: Path, start_engine: StartEngine, name: str
) -> None:
    mapping = {"FunctionResponseTypes": ["ReportBatchItemFailures"], "MaximumRetryAttempts": 0}
    engine = started(tmp_path, start_engine, mapping)
    put(engine, "good", name)
    engine.settle()
    assert batches(engine) == [["good", name]]
    assert [notice["DDBStreamBatchInfo"]["batchSize"] for notice in notices(engine)] == [2]


def test_a_divided_batch_loses_only_what_fails(tmp_path: Path, start_engine: StartEngine) -> None:
    engine = started(tmp_path, start_engine, {"BisectBatchOnFunctionError": True, "MaximumRetryAttempts": 1})
    put(engine, "a", "b", "raise", "d")
    engine.settle()

    assert batches(engine) == [
        ["a", "b", "raise", "d"],
        ["a", "b"],
        ["raise", "d"],
        ["raise"],
        ["raise"],
        ["d"],
    ]
    assert [notice["DDBStreamBatchInfo"]["batchSize"] for notice in notices(engine)] == [1]


def test_a_record_that_became_too_old_is_given_up_untried(tmp_path: Path, start_engine: StartEngine) -> None:
    mapping = {"MaximumRecordAgeInSeconds": 60, "MaximumBatchingWindowInSeconds": 100}
    engine = started(tmp_path, start_engine, mapping)
    put(engine, "slow")
    engine.settle()

    assert batches(engine) == []
    (notice,) = notices(engine)
    assert notice["requestContext"]["condition"] == "RecordAgeExceeded"


def test_without_a_limit_a_failing_batch_holds_the_stream_up_and_is_named(
    tmp_path: Path, start_engine: StartEngine
) -> None:
    engine = started(tmp_path, start_engine, {"MaximumRetryAttempts": -1})
    put(engine, "raise")
    with pytest.raises(NotSettled, match=r"settings → .*1 records of the stream, last problem: .*asked to"):
        engine.settle()


def test_a_record_expires_after_a_day_and_nobody_is_told(tmp_path: Path, start_engine: StartEngine) -> None:
    engine = started(tmp_path, start_engine, {"MaximumRetryAttempts": -1})
    put(engine, "raise")
    engine.advance(25 * 3600)
    tries = len(engine.invocations)
    put(engine, "good")
    engine.settle()

    assert tries > 24
    assert batches(engine)[-1] == ["good"]
    assert notices(engine) == []


@pytest.mark.parametrize("missing", READS)
def test_a_role_that_may_not_read_the_stream_is_refused_at_the_poll(
    tmp_path: Path, start_engine: StartEngine, missing: str
) -> None:
    engine = started(tmp_path, start_engine, reads=tuple(one for one in READS if one != missing))
    put(engine, "unread")
    with pytest.raises(NotSettled, match=missing):
        engine.settle()
    assert {call.need.action for call in engine.refusals} == {missing}


def test_a_role_that_may_not_send_loses_the_notice(tmp_path: Path, start_engine: StartEngine) -> None:
    engine = started(tmp_path, start_engine, {"MaximumRetryAttempts": 0}, sends=False)
    put(engine, "raise")
    engine.settle()
    assert notices(engine) == []
    assert [event.kind for event in engine.timeline if event.kind.startswith("dead-")] == ["dead-letter-refused"]


def test_a_disabled_mapping_reads_nothing(tmp_path: Path, start_engine: StartEngine) -> None:
    engine = started(tmp_path, start_engine, {"Enabled": False})
    put(engine, "unread")
    engine.settle()
    assert engine.invocations == ()


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        ({"StartingPosition": "AT_TIMESTAMP"}, "TRIM_HORIZON or LATEST"),
        ({"MaximumRetryAttempts": 10_001}, "-1 to 10000"),
        ({"MaximumRecordAgeInSeconds": 30}, "-1 or 60 to 604800"),
        ({"BatchSize": 0}, "1 to 10000"),
        ({"ScalingConfig": {"MaximumConcurrency": 2}}, "ScalingConfig is for queues"),
        ({"EventSourceArn": "arn:aws:dynamodb:us-east-1:123456789012:table/settings/stream/x"}, "does not exist"),
    ],
)
def test_what_lambda_would_refuse_fails_the_deployment(
    tmp_path: Path, start_engine: StartEngine, mapping: Json, message: str
) -> None:
    engine = start_engine(stream_app(tmp_path, mapping))
    with pytest.raises(DeploymentFailed, match=message):
        engine.deploy()


def test_a_destination_that_is_no_queue_is_not_played(tmp_path: Path, start_engine: StartEngine) -> None:
    destination = {"OnFailure": {"Destination": "arn:aws:sns:us-east-1:123456789012:topic"}}
    engine = start_engine(stream_app(tmp_path, {"DestinationConfig": destination}))
    with pytest.raises(Unsupported, match="is not played"):
        engine.deploy()
