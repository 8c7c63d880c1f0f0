"""Queue → function, as Lambda polls it: windows, partial failures, retries, dead letters, refusals."""

from __future__ import annotations

import itertools
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

if TYPE_CHECKING:
    from rehearsal.engine.engine import Engine

HANDLER = """
import json

def handler(event, context):
    bodies = [record["body"] for record in event["Records"]]
    print("GOT " + json.dumps(bodies))
    if "wait" in bodies:
        import boto3
        [record] = event["Records"]
        url = boto3.client("sqs").get_queue_url(QueueName=record["eventSourceARN"].split(":")[-1])["QueueUrl"]
        if int(record["attributes"]["ApproximateReceiveCount"]) < 3:
            boto3.client("sqs").change_message_visibility(
                QueueUrl=url, ReceiptHandle=record["receiptHandle"], VisibilityTimeout=5
            )
            return {"batchItemFailures": [{"itemIdentifier": record["messageId"]}]}
    if "raise" in bodies:
        raise RuntimeError("asked to")
    if "number" in bodies:
        return 7
    if "unreadable" in bodies:
        return {"batchItemFailures": [{"wrong": "key"}]}
    if "stranger" in bodies:
        return {"batchItemFailures": [{"itemIdentifier": "nobody"}]}
    if "nothing" in bodies:
        return None
    bad = [r["messageId"] for r in event["Records"] if r["body"] == "bad"]
    return {"batchItemFailures": [{"itemIdentifier": one} for one in bad]}
"""


def queue_app(folder: Path, *, mapping: Json | None = None, queue: Json | None = None, partial: bool = True) -> Path:
    """A queue with a dead-letter queue, read by a function that does what the messages say."""
    writer = AssemblyWriter(folder)
    reads = [
        "sqs:ReceiveMessage",
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
        "sqs:GetQueueUrl",
        "sqs:ChangeMessageVisibility",
    ]
    resources: Json = {
        "Letters": {"Type": "AWS::SQS::Queue"},
        "Queue": {
            "Type": "AWS::SQS::Queue",
            "Properties": {
                "VisibilityTimeout": 30,
                "RedrivePolicy": {"deadLetterTargetArn": att("Letters"), "maxReceiveCount": 2},
                **(queue or {}),
            },
        },
        "Role": role("lambda.amazonaws.com", LOGS, allow(reads, att("Queue"))),
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
                "EventSourceArn": att("Queue"),
                "FunctionName": att("Function"),
                **({"FunctionResponseTypes": ["ReportBatchItemFailures"]} if partial else {}),
                **(mapping or {}),
            },
        },
    }
    outputs = {"Queue": {"Value": {"Ref": "Queue"}}, "Letters": {"Value": {"Ref": "Letters"}}}
    writer.stack("App", {"Resources": resources, "Outputs": outputs})
    return writer.write()


def send(engine: Engine, *bodies: str) -> None:
    for body in bodies:
        engine.client("sqs").send_message(QueueUrl=engine.outputs("App")["Queue"], MessageBody=body)


def batches(engine: Engine) -> list[list[str]]:
    """The bodies of each batch, in order, as the function printed them."""
    logs, found = engine.client("logs"), []
    for group in logs.describe_log_groups()["logGroups"]:
        name = group["logGroupName"]
        for stream in logs.describe_log_streams(logGroupName=name)["logStreams"]:
            events = logs.get_log_events(logGroupName=name, logStreamName=stream["logStreamName"], startFromHead=True)[
                "events"
            ]
            found += [json.loads(e["message"][4:]) for e in events if e["message"].startswith("GOT ")]
    return found


def dead_letters(engine: Engine) -> list[str]:
    answer = engine.client("sqs").receive_message(QueueUrl=engine.outputs("App")["Letters"], MaxNumberOfMessages=10)
    return sorted(message["Body"] for message in answer.get("Messages", []))


def test_the_failed_messages_of_a_batch_come_again_alone_and_end_as_dead_letters(
    tmp_path: Path, start_engine: StartEngine
) -> None:
    engine = start_engine(queue_app(tmp_path))
    engine.deploy()
    send(engine, "good", "bad", "fine")
    engine.settle()
    assert [sorted(batch) for batch in batches(engine)] == [["bad", "fine", "good"], ["bad"]]
    assert dead_letters(engine) == ["bad"]


def test_a_message_comes_again_after_its_visibility_timeout_and_nobody_waits_for_it(
    tmp_path: Path, start_engine: StartEngine
) -> None:
    engine = start_engine(queue_app(tmp_path))
    engine.deploy()
    send(engine, "bad")
    engine.settle()
    first, second = engine.invocations
    assert 30 <= (second.time - first.time).total_seconds() < 35
    assert engine.clock.real_seconds < 20


@pytest.mark.parametrize("body", ["raise", "number", "unreadable", "stranger"])
def test_an_answer_that_cannot_be_read_returns_the_whole_batch(
    tmp_path: Path, start_engine: StartEngine, body: str
) -> None:
    engine = start_engine(queue_app(tmp_path))
    engine.deploy()
    send(engine, body, "good")
    engine.settle()
    assert dead_letters(engine) == sorted([body, "good"])


def test_an_empty_answer_is_a_success(tmp_path: Path, start_engine: StartEngine) -> None:
    engine = start_engine(queue_app(tmp_path))
    engine.deploy()
    send(engine, "nothing", "good")
    engine.settle()
    assert dead_letters(engine) == []
    assert len(engine.invocations) == 1


def test_without_partial_failures_the_answer_is_not_read(tmp_path: Path, start_engine: StartEngine) -> None:
    engine = start_engine(queue_app(tmp_path, partial=False))
    engine.deploy()
    send(engine, "bad", "good")
    engine.settle()
    assert dead_letters(engine) == []


def test_a_window_gathers_a_batch_of_more_than_ten(tmp_path: Path, start_engine: StartEngine) -> None:
    window = {"BatchSize": 25, "MaximumBatchingWindowInSeconds": 20}
    engine = start_engine(queue_app(tmp_path, mapping=window, queue={"VisibilityTimeout": 60}))
    engine.deploy()
    send(engine, *(f"m{number}" for number in range(30)))
    before = engine.clock.jumped_seconds
    engine.settle()
    assert [len(batch) for batch in batches(engine)] == [25, 5]
    assert engine.clock.jumped_seconds - before > 15


def test_without_a_window_a_batch_is_one_receive(tmp_path: Path, start_engine: StartEngine) -> None:
    engine = start_engine(queue_app(tmp_path, mapping={"BatchSize": 4}))
    engine.deploy()
    send(engine, *(f"m{number}" for number in range(10)))
    engine.settle()
    assert [len(batch) for batch in batches(engine)] == [4, 4, 2]


def test_a_delayed_message_is_waited_for(tmp_path: Path, start_engine: StartEngine) -> None:
    engine = start_engine(queue_app(tmp_path, queue={"DelaySeconds": 300}))
    engine.deploy()
    send(engine, "later")
    engine.settle()
    assert batches(engine) == [["later"]]
    assert engine.clock.jumped_seconds > 290


def test_a_disabled_mapping_reads_nothing(tmp_path: Path, start_engine: StartEngine) -> None:
    engine = start_engine(queue_app(tmp_path, mapping={"Enabled": False}))
    engine.deploy()
    send(engine, "unread")
    engine.settle()
    assert engine.invocations == ()


def test_a_role_that_may_not_receive_is_named_when_nothing_else_moves(
    tmp_path: Path, start_engine: StartEngine
) -> None:
    from rehearsal.engine.errors import NotSettled

    engine = start_engine(queue_app(tmp_path))

    def blind(template: dict[str, Any]) -> dict[str, Any]:
        statements = template["Resources"]["Role"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
        statements[1]["Action"].remove("sqs:ReceiveMessage")
        return template

    engine.deploy(mutate={"App": blind})
    send(engine, "stuck")
    with pytest.raises(NotSettled) as caught:
        engine.settle()
    assert len(caught.value.stuck) == 1
    for part in ("Event-source mapping App-Queue", "1 messages in the queue", "sqs:ReceiveMessage", "App-Role"):
        assert part in str(caught.value)
    assert [refusal.need.action for refusal in engine.refusals] == ["sqs:ReceiveMessage"]


def test_a_role_that_may_not_delete_gets_its_messages_again(tmp_path: Path, start_engine: StartEngine) -> None:
    engine = start_engine(queue_app(tmp_path))

    def keeping(template: dict[str, Any]) -> dict[str, Any]:
        statements = template["Resources"]["Role"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
        statements[1]["Action"].remove("sqs:DeleteMessage")
        return template

    engine.deploy(mutate={"App": keeping})
    send(engine, "again")
    engine.settle()
    assert batches(engine) == [["again"], ["again"]]
    assert dead_letters(engine) == ["again"]


@pytest.mark.parametrize(
    ("mapping", "queue", "message"),
    [
        ({"MaximumBatchingWindowInSeconds": 301}, {}, "given 301, allowed is 0 to 300"),
        ({"BatchSize": 11}, {}, "over 10 it needs MaximumBatchingWindowInSeconds"),
        ({}, {"VisibilityTimeout": 2}, "visibility timeout .2 s. is less than the function's timeout .5 s."),
    ],
)
def test_what_lambda_refuses_fails_the_deployment(
    tmp_path: Path, start_engine: StartEngine, mapping: Json, queue: Json, message: str
) -> None:
    from rehearsal.engine.errors import DeploymentFailed

    with pytest.raises(DeploymentFailed, match=message):
        start_engine(queue_app(tmp_path, mapping=mapping, queue=queue)).deploy()


def test_a_message_delivered_twice_keeps_its_id(tmp_path: Path, start_engine: StartEngine) -> None:
    engine = start_engine(queue_app(tmp_path))
    engine.deploy()
    send(engine, "twice")
    assert engine.faults.deliver_twice(engine.resource("App", "Queue").arn) == 1
    engine.settle()
    assert batches(engine) == [["twice", "twice"]]


def test_a_lost_answer_brings_the_batch_back(tmp_path: Path, start_engine: StartEngine) -> None:
    engine = start_engine(queue_app(tmp_path))
    engine.deploy()
    engine.faults.fail_function(engine.resource("App", "Function").physical_id, 1, kind="lost")
    send(engine, "seen")
    engine.settle()
    assert batches(engine) == [["seen"], ["seen"]]
    assert dead_letters(engine) == []


def test_a_visibility_that_the_function_set_stays_when_it_reports_the_message(
    tmp_path: Path, start_engine: StartEngine
) -> None:
    redrive = {"deadLetterTargetArn": att("Letters"), "maxReceiveCount": 9}
    engine = start_engine(queue_app(tmp_path, queue={"VisibilityTimeout": 900, "RedrivePolicy": redrive}))
    engine.deploy()
    send(engine, "wait")
    engine.settle()
    times = [invocation.time for invocation in engine.invocations]
    assert len(times) == 3
    waits = [(later - sooner).total_seconds() for sooner, later in itertools.pairwise(times)]
    # The function sets 5 seconds; to them comes what this machine takes.
    assert all(5 <= wait < 60 for wait in waits), waits
    assert dead_letters(engine) == []


def test_a_window_of_minutes_gathers_hundreds_of_messages(tmp_path: Path, start_engine: StartEngine) -> None:
    window = {"BatchSize": 10_000, "MaximumBatchingWindowInSeconds": 300}
    engine = start_engine(queue_app(tmp_path, mapping=window, queue={"VisibilityTimeout": 1000}))
    engine.deploy()
    send(engine, *(f"m{number}" for number in range(40)))
    engine.advance(200)
    assert engine.invocations == ()
    send(engine, *(f"n{number}" for number in range(40)))
    engine.settle()
    assert [len(batch) for batch in batches(engine)] == [80]


def test_a_function_killed_after_a_call_has_made_it_and_gets_its_message_again(
    tmp_path: Path, start_engine: StartEngine
) -> None:
    engine = start_engine(queue_app(tmp_path, queue={"VisibilityTimeout": 60}))
    engine.deploy()
    function = engine.resource("App", "Function").physical_id
    engine.faults.kill_function_after(function, "sqs:ChangeMessageVisibility")
    send(engine, "wait")
    engine.settle()
    killed, again, *_ = engine.invocations
    assert (killed.outcome, again.outcome) == ("crash", "ok")
    assert "exit status 137" in killed.error
    # The call that killed it counted: the message came after its 5 seconds, not after the queue's 60.
    assert 5 <= (again.time - killed.time).total_seconds() < 10


def test_a_kill_waits_for_the_call_that_it_is_meant_for(tmp_path: Path, start_engine: StartEngine) -> None:
    engine = start_engine(queue_app(tmp_path, queue={"VisibilityTimeout": 60}))
    engine.deploy()
    function = engine.resource("App", "Function").physical_id
    engine.faults.kill_function_after(function, "sqs:ChangeMessageVisibility", times=2)
    send(engine, "wait")
    engine.settle()
    assert {invocation.outcome for invocation in engine.invocations} == {"ok"}
    with pytest.raises(ValueError, match="allowed is service:Operation"):
        engine.faults.kill_function_after(function, "ChangeMessageVisibility")


def test_a_queue_takes_no_properties_of_streams(tmp_path: Path, start_engine: StartEngine) -> None:
    from rehearsal.engine.errors import DeploymentFailed

    engine = start_engine(queue_app(tmp_path, mapping={"StartingPosition": "LATEST"}))
    with pytest.raises(DeploymentFailed, match="StartingPosition is for streams"):
        engine.deploy()
