"""Message moves as SQS documents them: out of dead-letter queues, one at a time, at a rate, by the caller's rights."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.rehearsal.engine.assemblies import NEEDS, StartEngine, allow, att, one_stack

pytest.importorskip("time_machine", reason=NEEDS)

if TYPE_CHECKING:
    from rehearsal.engine.engine import Engine

ACCOUNT = "123456789012"
UNSUPPORTED = "AWS.SimpleQueueService.UnsupportedOperation"


def queues(folder: Path) -> Path:
    """A queue with a dead-letter queue, and one that is neither."""
    redrive = {"deadLetterTargetArn": att("Dead"), "maxReceiveCount": 1}
    return one_stack(
        folder,
        {
            "Dead": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "dead"}},
            "Work": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "work", "RedrivePolicy": redrive}},
            "Other": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "other"}},
        },
    )


def arn(name: str) -> str:
    return f"arn:aws:sqs:us-east-1:{ACCOUNT}:{name}"


def url(sqs: Any, name: str) -> str:
    return str(sqs.get_queue_url(QueueName=name)["QueueUrl"])


@pytest.fixture
def engine(tmp_path: Path, start_engine: StartEngine) -> Engine:
    """The queues, deployed."""
    started = start_engine(queues(tmp_path / "app"))
    started.deploy()
    return started


@pytest.fixture
def sqs(engine: Engine) -> Any:
    """The administrator's client."""
    return engine.client("sqs")


def fill(sqs: Any, count: int, name: str = "dead") -> None:
    marked = {"reason": {"DataType": "String", "StringValue": "asked to"}}
    for number in range(count):
        sqs.send_message(QueueUrl=url(sqs, name), MessageBody=str(number), MessageAttributes=marked)


def taken(sqs: Any, name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while True:
        given = {"MaxNumberOfMessages": 10, "MessageAttributeNames": ["All"], "AttributeNames": ["All"]}
        messages = sqs.receive_message(QueueUrl=url(sqs, name), **given).get("Messages", [])
        if not messages:
            return found
        found += messages


def task(sqs: Any, source: str = "dead") -> dict[str, Any]:
    newest: dict[str, Any] = sqs.list_message_move_tasks(SourceArn=arn(source))["Results"][0]
    return newest


def refusal(call: Any, **given: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**given)
    return str(caught.value.response["Error"]["Code"])


def test_every_message_arrives_as_a_new_one_with_its_body_and_attributes(engine: Engine, sqs: Any) -> None:
    fill(sqs, 3)
    before = {one["MessageId"] for one in taken(sqs, "dead")}
    engine.advance(60)
    sqs.start_message_move_task(SourceArn=arn("dead"), DestinationArn=arn("work"))
    engine.settle()
    arrived = taken(sqs, "work")
    assert [one["Body"] for one in arrived] == ["0", "1", "2"]
    assert not before & {one["MessageId"] for one in arrived}
    assert {one["Attributes"]["ApproximateReceiveCount"] for one in arrived} == {"1"}
    assert {one["MessageAttributes"]["reason"]["StringValue"] for one in arrived} == {"asked to"}
    assert taken(sqs, "dead") == []
    done = task(sqs)
    assert (done["Status"], done["ApproximateNumberOfMessagesMoved"], done["ApproximateNumberOfMessagesToMove"]) == (
        "COMPLETED",
        3,
        3,
    )
    assert "TaskHandle" not in done, "only a task that runs can be cancelled by it"


def test_a_rate_is_kept_and_progress_is_told(engine: Engine, sqs: Any) -> None:
    fill(sqs, 10)
    sqs.start_message_move_task(SourceArn=arn("dead"), DestinationArn=arn("work"), MaxNumberOfMessagesPerSecond=2)
    engine.advance(1.5)
    running = task(sqs)
    assert (running["Status"], running["ApproximateNumberOfMessagesMoved"]) == ("RUNNING", 4)
    assert running["MaxNumberOfMessagesPerSecond"] == 2
    engine.settle()
    assert task(sqs)["ApproximateNumberOfMessagesMoved"] == 10


def test_a_cancelled_move_leaves_the_rest_where_it_is(engine: Engine, sqs: Any) -> None:
    fill(sqs, 10)
    handle = sqs.start_message_move_task(
        SourceArn=arn("dead"), DestinationArn=arn("work"), MaxNumberOfMessagesPerSecond=2
    )["TaskHandle"]
    engine.advance(0.5)
    assert task(sqs)["TaskHandle"] == handle
    assert sqs.cancel_message_move_task(TaskHandle=handle)["ApproximateNumberOfMessagesMoved"] == 2
    engine.settle()
    assert task(sqs)["Status"] == "CANCELLED"
    assert (len(taken(sqs, "work")), len(taken(sqs, "dead"))) == (2, 8)
    assert refusal(sqs.cancel_message_move_task, TaskHandle=handle) == UNSUPPORTED


def test_one_move_runs_at_a_time_and_the_newest_are_listed_first(engine: Engine, sqs: Any) -> None:
    given = {"SourceArn": arn("dead"), "DestinationArn": arn("work")}
    fill(sqs, 1)
    sqs.start_message_move_task(**given)
    assert refusal(sqs.start_message_move_task, **given) == UNSUPPORTED
    engine.settle()
    fill(sqs, 2)
    sqs.start_message_move_task(**given)
    engine.settle()
    listed = sqs.list_message_move_tasks(SourceArn=arn("dead"), MaxResults=10)["Results"]
    assert [one["ApproximateNumberOfMessagesMoved"] for one in listed] == [2, 1]


def test_messages_that_somebody_holds_stay_and_what_comes_back_is_not_moved_again(engine: Engine, sqs: Any) -> None:
    fill(sqs, 2)
    sqs.receive_message(QueueUrl=url(sqs, "dead"), MaxNumberOfMessages=1, VisibilityTimeout=600)
    sqs.start_message_move_task(SourceArn=arn("dead"), DestinationArn=arn("work"), MaxNumberOfMessagesPerSecond=1)
    fill(sqs, 5)
    engine.settle()
    assert task(sqs)["ApproximateNumberOfMessagesMoved"] == 1
    assert len(taken(sqs, "work")) == 1


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"SourceArn": arn("nobody"), "DestinationArn": arn("work")}, "ResourceNotFoundException"),
        ({"SourceArn": arn("dead"), "DestinationArn": arn("nobody")}, "ResourceNotFoundException"),
        ({"SourceArn": arn("work"), "DestinationArn": arn("other")}, "InvalidParameterValue"),
        ({"SourceArn": arn("dead"), "DestinationArn": arn("dead")}, "InvalidParameterValue"),
        (
            {"SourceArn": arn("dead"), "DestinationArn": arn("work"), "MaxNumberOfMessagesPerSecond": 501},
            "InvalidParameterValue",
        ),
        ({"SourceArn": arn("dead")}, UNSUPPORTED),
    ],
)
def test_what_sqs_refuses_is_refused_by_its_code(sqs: Any, given: dict[str, Any], code: str) -> None:
    assert refusal(sqs.start_message_move_task, **given) == code


def test_the_caller_needs_to_read_one_queue_and_to_send_to_the_other(engine: Engine, sqs: Any) -> None:
    fill(sqs, 1)
    reading = allow(
        ["sqs:StartMessageMoveTask", "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"], arn("dead")
    )
    sending = allow(["sqs:SendMessage"], arn("work"))
    operator = engine.principal("operator")
    mine = engine.client("sqs", operator)
    given = {"SourceArn": arn("dead"), "DestinationArn": arn("work")}
    for statements, missing in (([reading], "sqs:SendMessage"), ([sending], "sqs:StartMessageMoveTask")):
        document = {"Version": "2012-10-17", "Statement": statements}
        engine.authorizer.put_inline_policy(operator, "own", document)
        assert "AccessDenied" in refusal(mine.start_message_move_task, **given)
        assert missing in {call.need.action for call in engine.refusals}
    document = {"Version": "2012-10-17", "Statement": [reading, sending]}
    engine.authorizer.put_inline_policy(operator, "own", document)
    mine.start_message_move_task(**given)
    assert "AccessDenied" in refusal(mine.list_message_move_tasks, SourceArn=arn("dead"))
    engine.settle()
    assert len(taken(sqs, "work")) == 1


def test_a_message_may_be_hidden_for_twelve_hours_from_its_receipt_however_old_it_is(engine: Engine, sqs: Any) -> None:
    fill(sqs, 1)
    engine.advance(24 * 3600)
    (message,) = sqs.receive_message(QueueUrl=url(sqs, "dead"), VisibilityTimeout=600)["Messages"]
    held = {"QueueUrl": url(sqs, "dead"), "ReceiptHandle": message["ReceiptHandle"]}
    engine.advance(300)
    assert refusal(sqs.change_message_visibility, VisibilityTimeout=12 * 3600, **held) == "InvalidParameterValue"
    sqs.change_message_visibility(VisibilityTimeout=0, **held)
    engine.advance(1)
    assert len(taken(sqs, "dead")) == 1
