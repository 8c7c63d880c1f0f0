"""Rules that a schedule or the creation of a stack sets off."""

from __future__ import annotations

import json
from datetime import UTC, datetime
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
    one_stack,
    role,
)

pytest.importorskip("time_machine", reason=NEEDS)

from rehearsal.engine.errors import DeploymentFailed

if TYPE_CHECKING:
    from rehearsal.engine.engine import Engine


def queue_and_rule(**rule: Any) -> Json:
    """A queue that a rule tells as a role."""
    target = {"Id": "queue", "Arn": att("Queue"), "RoleArn": att("Role"), **rule.pop("target", {})}
    return {
        "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "told"}},
        "Role": role("events.amazonaws.com", allow(["sqs:SendMessage"], att("Queue"))),
        "Rule": {"Type": "AWS::Events::Rule", "Properties": {"Targets": [target], **rule}},
    }


def told(engine: Engine) -> list[Json]:
    """All messages of the queue, which are then hidden."""
    sqs = engine.client("sqs")
    url, found = sqs.get_queue_url(QueueName="told")["QueueUrl"], []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
        found += [json.loads(message["Body"]) for message in messages]
        for message in messages:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return found


def started(folder: Path, start_engine: StartEngine, resources: Json) -> Engine:
    engine = start_engine(one_stack(folder, resources))
    engine.deploy()
    return engine


def test_a_schedule_is_due_at_its_times_when_time_passes(tmp_path: Path, start_engine: StartEngine) -> None:
    engine = started(tmp_path, start_engine, queue_and_rule(ScheduleExpression="cron(0 13-15 * * ? *)"))
    engine.advance(4 * 3600)

    events = told(engine)
    assert [event["time"] for event in events] == [f"2030-01-01T{hour}:00:00Z" for hour in (13, 14, 15)]
    assert events[0]["detail-type"] == "Scheduled Event"
    assert (events[0]["source"], events[0]["detail"]) == ("aws.events", {})
    assert events[0]["resources"] == [engine.resource("App", "Rule").arn]


def test_a_target_can_be_told_a_text_of_its_own(tmp_path: Path, start_engine: StartEngine) -> None:
    rule = queue_and_rule(ScheduleExpression="rate(1 hour)", target={"Input": '{"cluster": "*"}'})
    engine = started(tmp_path, start_engine, rule)
    engine.advance(2.5 * 3600)
    assert told(engine) == [{"cluster": "*"}] * 2


def test_nothing_waits_for_a_schedule(tmp_path: Path, start_engine: StartEngine) -> None:
    engine = started(tmp_path, start_engine, queue_and_rule(ScheduleExpression="rate(1 minute)"))
    before = engine.clock.jumped_seconds
    engine.settle()
    assert engine.clock.jumped_seconds == before
    assert told(engine) == []


def test_what_a_schedule_sets_off_settles_though_it_takes_longer_than_the_period(
    tmp_path: Path, start_engine: StartEngine
) -> None:
    writer = AssemblyWriter(tmp_path)
    reads = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
    resources = queue_and_rule(ScheduleExpression="rate(1 hour)")
    resources["Letters"] = {"Type": "AWS::SQS::Queue"}
    redrive = {"deadLetterTargetArn": att("Letters"), "maxReceiveCount": 3}
    resources["Queue"]["Properties"] |= {"VisibilityTimeout": 2 * 3600, "RedrivePolicy": redrive}
    resources |= {
        "FunctionRole": role("lambda.amazonaws.com", LOGS, allow(reads, att("Queue"))),
        "Function": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "Code": writer.asset({"main.py": "def handler(event, context):\n    raise RuntimeError('never')\n"}),
                "Handler": "main.handler",
                "Runtime": "python3.13",
                "Role": att("FunctionRole"),
            },
        },
        "Mapping": {
            "Type": "AWS::Lambda::EventSourceMapping",
            "Properties": {"EventSourceArn": att("Queue"), "FunctionName": att("Function")},
        },
    }
    writer.stack("App", {"Resources": resources})
    engine = start_engine(writer.write())
    engine.deploy()
    engine.clock.advance(3600)
    engine.settle()
    assert len(engine.invocations) == 3


def test_times_that_were_jumped_over_count_as_one(tmp_path: Path, start_engine: StartEngine) -> None:
    engine = started(tmp_path, start_engine, queue_and_rule(ScheduleExpression="rate(1 hour)"))
    engine.clock.advance(10.5 * 3600)
    engine.settle()
    assert [event["time"][:13] for event in told(engine)] == ["2030-01-01T13"]
    engine.advance(3600)
    assert [event["time"][:13] for event in told(engine)] == ["2030-01-01T23"]


def test_a_disabled_rule_has_no_times(tmp_path: Path, start_engine: StartEngine) -> None:
    rule = queue_and_rule(ScheduleExpression="rate(1 hour)", State="DISABLED")
    engine = started(tmp_path, start_engine, rule)
    engine.advance(5 * 3600)
    assert told(engine) == []


@pytest.mark.parametrize(
    ("rule", "message"),
    [({"ScheduleExpression": "rate(1 hours)"}, "ScheduleExpression: Schedule"), ({}, "neither EventPattern")],
)
def test_a_rule_that_is_never_due_or_cannot_be_read_fails_the_deployment(
    tmp_path: Path, start_engine: StartEngine, rule: Json, message: str
) -> None:
    with pytest.raises(DeploymentFailed, match=message):
        started(tmp_path, start_engine, queue_and_rule(**rule))


def test_a_rule_is_told_that_its_own_stack_is_complete(tmp_path: Path, start_engine: StartEngine) -> None:
    status = {"status": ["CREATE_COMPLETE", "UPDATE_COMPLETE"]}
    pattern = {
        "source": ["aws.cloudformation"],
        "detail-type": ["CloudFormation Stack Status Change"],
        "detail": {"stack-id": [{"Ref": "AWS::StackId"}], "status-details": status},
    }
    writer = AssemblyWriter(tmp_path)
    outputs = {"StackId": {"Value": {"Ref": "AWS::StackId"}}}
    writer.stack("App", {"Resources": queue_and_rule(EventPattern=pattern), "Outputs": outputs})
    writer.stack("Other", {"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}}, after=("App",))
    engine = start_engine(writer.write())
    engine.deploy()
    assert told(engine) == []
    engine.settle()

    (event,) = told(engine)
    assert event["resources"] == [engine.outputs("App")["StackId"]]
    assert event["detail"]["stack-id"] == engine.outputs("App")["StackId"]
    assert event["detail"]["status-details"]["status"] == "CREATE_COMPLETE"
    assert datetime.fromisoformat(event["time"]) >= datetime(2030, 1, 1, 12, tzinfo=UTC)
