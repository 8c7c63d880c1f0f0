"""A rule of the default bus tells its targets of the events that its pattern matches, as their policies allow."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.rehearsal.engine.assemblies import LOGS, NEEDS, Json, StartEngine, att, one_stack
from tests.rehearsal.engine.job_assemblies import JOB, READ_ASSETS, job_assembly, run_job

pytest.importorskip("time_machine", reason=NEEDS)
pytest.importorskip("pyspark", reason=NEEDS)

if TYPE_CHECKING:
    from rehearsal.engine.engine import Engine

SCRIPT = "import sys\nif '--fail' in sys.argv:\n    raise ValueError('as asked')\n"
FAILED = {"source": ["aws.glue"], "detail-type": ["Glue Job State Change"], "detail": {"state": ["FAILED", "TIMEOUT"]}}
EVENTS = {"Service": "events.amazonaws.com"}


def queue(*statements: Json) -> Json:
    """A queue and its policy."""
    policy = {"Queues": [{"Ref": "Queue"}], "PolicyDocument": {"Version": "2012-10-17", "Statement": list(statements)}}
    return {
        "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "told"}},
        "QueuePolicy": {"Type": "AWS::SQS::QueuePolicy", "Properties": policy},
    }


def let_in(condition: Json | None = None) -> Json:
    """The statement with which a queue lets a rule in."""
    statement = {"Effect": "Allow", "Principal": EVENTS, "Action": "sqs:SendMessage", "Resource": att("Queue")}
    return {**statement, "Condition": condition} if condition else statement


def rule(*targets: Json, **properties: Any) -> Json:
    """A rule for failed job runs."""
    return {"Type": "AWS::Events::Rule", "Properties": {"EventPattern": FAILED, "Targets": list(targets), **properties}}


def to_queue(**properties: Any) -> Json:
    """The queue as a target."""
    return {"Id": "queue", "Arn": att("Queue"), **properties}


def told(engine: Engine) -> list[str]:
    """The bodies of all messages of the queue."""
    sqs = engine.client("sqs")
    url = sqs.get_queue_url(QueueName="told")["QueueUrl"]
    return [
        message["Body"] for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    ]


def started(folder: Path, start_engine: StartEngine, resources: Json) -> Engine:
    """An engine with a job and the given resources."""
    engine = start_engine(job_assembly(folder, SCRIPT, statements=(READ_ASSETS, LOGS), resources=resources))
    engine.deploy()
    return engine


def test_the_end_of_a_job_run_is_told_as_glue_tells_it(tmp_path: Path, start_engine: StartEngine) -> None:
    ours = {"ArnEquals": {"aws:SourceArn": att("Rule")}}
    engine = started(tmp_path, start_engine, {**queue(let_in(ours)), "Rule": rule(to_queue())})
    run_job(engine)
    failed = run_job(engine, {"--fail": "yes"})

    (body,) = told(engine)
    event = json.loads(body)
    assert (event["source"], event["detail-type"]) == ("aws.glue", "Glue Job State Change")
    assert event["time"].startswith("2030-01-01T12:0")
    assert event["detail"] == {
        "jobName": JOB,
        "severity": "ERROR",
        "state": "FAILED",
        "jobRunId": failed["Id"],
        "message": f"JobName:{JOB} and JobRunId:{failed['Id']} failed to execute with exception ValueError: as asked",
    }


def test_an_input_transformer_shapes_what_is_told(tmp_path: Path, start_engine: StartEngine) -> None:
    transformer = {
        "InputPathsMap": {"job": "$.detail.jobName", "what": "$.detail.message", "all": "$.detail"},
        "InputTemplate": '{"job": "<job>", "what": <what>, "text": "run of <job> ended", "detail": <all>}',
    }
    target = to_queue(InputTransformer=transformer)
    engine = started(tmp_path, start_engine, {**queue(let_in()), "Rule": rule(target)})
    run_job(engine, {"--fail": "yes"})

    shaped = json.loads(told(engine)[0])
    assert shaped["job"] == JOB
    assert shaped["what"].endswith("ValueError: as asked")
    assert shaped["text"] == f"run of {JOB} ended"
    assert shaped["detail"]["state"] == "FAILED"


def test_a_target_that_does_not_let_the_rule_in_is_not_told(tmp_path: Path, start_engine: StartEngine) -> None:
    other = {"ArnEquals": {"aws:SourceArn": "arn:aws:events:us-east-1:123456789012:rule/other"}}
    engine = started(tmp_path, start_engine, {**queue(let_in(other)), "Rule": rule(to_queue())})
    run_job(engine, {"--fail": "yes"})

    assert told(engine) == []
    assert [event.kind for event in engine.timeline if event.source.endswith("/App-Rule-" + _suffix(engine))] == [
        "event-refused"
    ]
    assert [call.need.action for call in engine.refusals] == ["sqs:SendMessage"]


def _suffix(engine: Engine) -> str:
    return engine.resource("App", "Rule").physical_id.rsplit("-", 1)[-1]


def test_a_refused_event_goes_to_the_dead_letter_queue(tmp_path: Path, start_engine: StartEngine) -> None:
    resources = {
        **queue(let_in()),
        "Closed": {"Type": "AWS::SQS::Queue", "Properties": {}},
        "Rule": rule({"Id": "closed", "Arn": att("Closed"), "DeadLetterConfig": {"Arn": att("Queue")}}),
    }
    engine = started(tmp_path, start_engine, resources)
    run_job(engine, {"--fail": "yes"})

    assert json.loads(told(engine)[0])["detail"]["state"] == "FAILED"


@pytest.mark.parametrize(
    ("condition", "count"), [(None, 1), ({"StringEquals": {"aws:SourceAccount": "123456789012"}}, 0)]
)
def test_a_topic_cannot_let_a_rule_in_under_a_condition(
    tmp_path: Path, start_engine: StartEngine, condition: Json | None, count: int
) -> None:
    statement = {"Effect": "Allow", "Principal": EVENTS, "Action": "sns:Publish", "Resource": {"Ref": "Topic"}}
    policy = {"Version": "2012-10-17", "Statement": [{**statement, **({"Condition": condition} if condition else {})}]}
    topic_in = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": att("Queue"),
    }
    resources = {
        **queue(topic_in),
        "Topic": {"Type": "AWS::SNS::Topic", "Properties": {}},
        "TopicPolicy": {
            "Type": "AWS::SNS::TopicPolicy",
            "Properties": {"Topics": [{"Ref": "Topic"}], "PolicyDocument": policy},
        },
        "Subscription": {
            "Type": "AWS::SNS::Subscription",
            "Properties": {"TopicArn": {"Ref": "Topic"}, "Protocol": "sqs", "Endpoint": att("Queue")},
        },
        "Rule": rule({"Id": "topic", "Arn": {"Ref": "Topic"}}),
    }
    engine = started(tmp_path, start_engine, resources)
    run_job(engine, {"--fail": "yes"})

    assert len(told(engine)) == count


def test_a_disabled_rule_tells_nobody(tmp_path: Path, start_engine: StartEngine) -> None:
    engine = started(tmp_path, start_engine, {**queue(let_in()), "Rule": rule(to_queue(), State="DISABLED")})
    run_job(engine, {"--fail": "yes"})

    assert told(engine) == []


def test_a_service_can_put_any_event(tmp_path: Path, start_engine: StartEngine) -> None:
    from rehearsal.engine.services.events import put_event

    pattern = {"detail-type": ["Glue Crawler State Change"], "detail": {"state": ["Failed"]}}
    engine = start_engine(one_stack(tmp_path, {**queue(let_in()), "Rule": rule(to_queue(), EventPattern=pattern)}))
    engine.deploy()
    for state in ("Succeeded", "Failed"):
        detail = {"crawlerName": "books", "state": state}
        put_event(engine.account, source="aws.glue", detail_type="Glue Crawler State Change", detail=detail)
    engine.settle()

    (body,) = told(engine)
    assert json.loads(body)["detail"] == {"crawlerName": "books", "state": "Failed"}


@pytest.mark.parametrize(
    "properties", [{"EventBusName": "other"}, {"Targets": [{"Id": "x", "Arn": "arn:aws:ecs:us-east-1:1:cluster/x"}]}]
)
def test_what_is_not_played_stops_the_deployment(
    tmp_path: Path, start_engine: StartEngine, properties: dict[str, Any]
) -> None:
    from rehearsal.engine.errors import Unsupported

    engine = start_engine(one_stack(tmp_path, {"Rule": rule(**properties)}))

    with pytest.raises(Unsupported):
        engine.deploy()
