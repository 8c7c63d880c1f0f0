"""A job run of EMR on EKS is executed as its request says: code, arguments, settings, role, logs, and what is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.rehearsal.engine.assemblies import NEEDS, Json, StartEngine, allow
from tests.rehearsal.engine.emr_assemblies import (
    ENCODED_ROLE,
    GROUP,
    ROLE,
    TEMPLATE,
    by_template,
    emr_assembly,
    in_full,
    path_of,
    pods,
    run,
    said,
)
from tests.rehearsal.engine.job_assemblies import READ_ASSETS

pytest.importorskip("time_machine", reason=NEEDS)
pytest.importorskip("pyspark", reason=NEEDS)

from rehearsal.engine.errors import DeploymentFailed, RehearsalError
from rehearsal.engine.jobs.emr.runs import service_account

EVENTS = {
    "Heard": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "heard"}},
    "HeardPolicy": {
        "Type": "AWS::SQS::QueuePolicy",
        "Properties": {
            "Queues": [{"Ref": "Heard"}],
            "PolicyDocument": {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": {"Service": "events.amazonaws.com"},
                        "Action": "sqs:SendMessage",
                        "Resource": {"Fn::GetAtt": ["Heard", "Arn"]},
                    }
                ],
            },
        },
    },
    "Rule": {
        "Type": "AWS::Events::Rule",
        "Properties": {
            "EventPattern": {"source": ["aws.emr-containers"], "detail-type": ["EMR Job Run State Change"]},
            "Targets": [{"Id": "Heard", "Arn": {"Fn::GetAtt": ["Heard", "Arn"]}}],
        },
    },
}


def heard(engine: Any) -> list[dict[str, Any]]:
    """The details of the events so far, in order."""
    sqs, url = engine.client("sqs"), engine.resource("App", "Heard").physical_id
    details: list[dict[str, Any]] = []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            details.append(json.loads(message["Body"])["detail"])
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return details


def test_a_service_account_is_named_for_the_role() -> None:
    assert int(ENCODED_ROLE, 36).to_bytes(len(ROLE), "big") == ROLE.encode()
    role_arn = f"arn:aws:iam::123456789012:role/{ROLE}"
    assert service_account("spark-driver", role_arn) == f"emr-containers-sa-spark-driver-123456789012-{ENCODED_ROLE}"


def test_a_run_is_executed_with_code_arguments_and_environment_of_its_request(
    tmp_path: Path, start_engine: StartEngine
) -> None:
    settings = {"spark.kubernetes.driverEnv.COLOUR": "red", "spark.kubernetes.driverEnv.HOME": "/nowhere"}
    engine = start_engine(
        emr_assembly(
            tmp_path, settings=settings, libraries={"shelf/__init__.py": "", "shelf/books.py": "TITLE = 'Emma'"}
        )
    )
    engine.deploy()

    by_name = run(engine, by_template(engine, "show", name="first"))
    spelled_out = run(engine, in_full(engine, "library", name="second"))

    assert [one["state"] for one in (by_name, spelled_out)] == ["COMPLETED", "COMPLETED"]
    shown = json.loads(said(engine, by_name))
    assert shown["argv"] == ["--do", "show"]
    assert shown["environment"]["COLOUR"] == "red"
    assert shown["environment"]["AWS_REGION"] == "us-east-1"
    assert shown["environment"]["HOME"] != "/nowhere", "what the run itself needs stays"
    assert said(engine, spelled_out) == "TITLE Emma\n"
    assert engine.refusals == ()
    assert [(record.job, record.state, record.arguments) for record in engine.job_runs] == [
        (TEMPLATE, "COMPLETED", {"--do": "show"}),
        (TEMPLATE, "COMPLETED", {"--do": "library"}),
    ]


def test_settings_are_merged_and_those_of_a_cluster_left_out(tmp_path: Path, start_engine: StartEngine) -> None:
    settings = {
        "spark.sql.shuffle.partitions": "200",
        "spark.sql.session.timeZone": "UTC",
        "spark.driver.memory": "400g",
        "spark.executor.instances": "50",
        "spark.dynamicAllocation.enabled": "true",
        "spark.kubernetes.driver.request.cores": "3500m",
    }
    engine = start_engine(
        emr_assembly(tmp_path, settings=settings, parameters="--driver-memory 300g --conf spark.kubernetes.namespace=x")
    )
    engine.deploy()

    lines = said(engine, run(engine, by_template(engine, "settings"))).splitlines()

    assert "spark.sql.shuffle.partitions 3" in lines, "what is given to spark-submit wins"
    assert "spark.sql.session.timeZone UTC" in lines
    assert not [line for line in lines if line.startswith(("spark.kubernetes", "spark.executor", "spark.dynamic"))]
    assert not [line for line in lines if "400g" in line or "300g" in line]


def test_logs_lie_where_the_request_wants_them(tmp_path: Path, start_engine: StartEngine) -> None:
    engine = start_engine(emr_assembly(tmp_path))
    engine.deploy()

    failed = run(engine, by_template(engine, "raise", name="failing"))

    assert (failed["state"], failed["failureReason"]) == ("FAILED", "USER_ERROR")
    assert failed["stateDetails"].startswith("JobRun failed. Please refer logs uploaded to S3/CloudWatch")
    assert "Traceback (most recent call last)" in said(engine, failed)
    assert "ValueError: as asked" in said(engine, failed, "stderr")
    logs = engine.client("logs")
    streams = [one["logStreamName"] for one in logs.describe_log_streams(logGroupName=GROUP)["logStreams"]]
    assert sorted(streams) == [f"tidy/{path_of(failed)}/{kind}" for kind in ("stderr", "stdout")]
    assert engine.job_runs[0].error == "ValueError: as asked"
    assert engine.refusals == ()


def test_lines_are_lost_when_the_role_may_not_write_them(tmp_path: Path, start_engine: StartEngine) -> None:
    engine = start_engine(emr_assembly(tmp_path, statements=(READ_ASSETS,)))
    engine.deploy()

    assert run(engine, by_template(engine, "show"))["state"] == "COMPLETED"

    assert {call.need.action for call in engine.refusals} == {"s3:PutObject", "logs:DescribeLogGroups"}
    assert {event.kind for event in engine.timeline} >= {"log-lines-lost"}


def test_each_state_is_told(tmp_path: Path, start_engine: StartEngine) -> None:
    engine = start_engine(emr_assembly(tmp_path, resources=EVENTS))
    engine.deploy()

    good = run(engine, by_template(engine, "show", name="good"))
    bad = run(engine, by_template(engine, "raise", name="bad"))

    told = heard(engine)
    assert [(one["name"], one["state"], one["severity"]) for one in told] == [
        *(("good", state, "INFO") for state in ("PENDING", "SUBMITTED", "RUNNING", "COMPLETED")),
        *(("bad", state, "INFO") for state in ("PENDING", "SUBMITTED", "RUNNING")),
        ("bad", "FAILED", "ERROR"),
    ]
    assert [one["id"] for one in told] == [good["id"]] * 4 + [bad["id"]] * 4
    assert told[-1]["virtualClusterId"] == bad["virtualClusterId"]
    assert told[-1]["failureReason"] == "USER_ERROR"


def test_a_run_can_be_cancelled_once(tmp_path: Path, start_engine: StartEngine) -> None:
    engine = start_engine(emr_assembly(tmp_path, resources=EVENTS))
    engine.deploy()
    emr, request = engine.client("emr-containers"), by_template(engine, "sleep")
    run_id = emr.start_job_run(**request)["id"]
    which = {"virtualClusterId": request["virtualClusterId"], "id": run_id}
    seen = []

    def cancel() -> None:
        seen.append(emr.describe_job_run(**which)["jobRun"]["state"])
        if seen[-1] == "RUNNING":
            assert emr.cancel_job_run(**which)["id"] == run_id
            with pytest.raises(emr.exceptions.ValidationException, match="not in a cancellable state"):
                emr.cancel_job_run(**which)

    engine.settle(on_progress=cancel)

    shown = emr.describe_job_run(**which)["jobRun"]
    assert (shown["state"], shown["stateDetails"]) == ("CANCELLED", "JobRun CANCELLED successfully.")
    assert [one["state"] for one in heard(engine)][-2:] == ["CANCEL_PENDING", "CANCELLED"]
    assert engine.job_runs[0].seconds < 30, "its process was ended"


def test_a_run_has_its_role_and_no_more(tmp_path: Path, start_engine: StartEngine) -> None:
    engine = start_engine(emr_assembly(tmp_path))
    engine.deploy()

    refused = run(engine, by_template(engine, "put"))

    assert refused["state"] == "FAILED"
    (refusal,) = engine.refusals
    assert (refusal.need.action, refusal.need.resource) == ("s3:PutObject", "arn:aws:s3:::shop-logs/elsewhere")
    assert refusal.principal.arn.endswith(f":role/{ROLE}")
    assert refusal.principal.session == refused["id"]


def test_the_role_must_be_allowed_to_read_code_and_pod_templates(tmp_path: Path, start_engine: StartEngine) -> None:
    pod = {"spark.kubernetes.driver.podTemplateFile": "s3://shop-code/driver.yaml"}
    engine = start_engine(emr_assembly(tmp_path, settings=pod))
    engine.deploy()
    code = engine.client("s3")
    code.create_bucket(Bucket="shop-code")
    code.put_object(Bucket="shop-code", Key="driver.yaml", Body=b"{}")

    failed = run(engine, by_template(engine, "show"))

    assert failed["state"] == "FAILED"
    assert "s3:GetObject" in failed["stateDetails"]
    assert [call.need.resource for call in engine.refusals] == ["arn:aws:s3:::shop-code/driver.yaml"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"associated": ("client", "driver")}, "spark-executor"),
        ({"associated": ()}, "spark-client"),
        ({"trust": pods(namespace="other")}, "trust policy"),
        ({"trust": pods(cluster="other")}, "trust policy"),
    ],
)
def test_pods_without_credentials_fail_the_run(
    tmp_path: Path, start_engine: StartEngine, change: dict[str, Any], reason: str
) -> None:
    engine = start_engine(emr_assembly(tmp_path, **change))
    engine.deploy()

    failed = run(engine, by_template(engine, "show"))

    assert (failed["state"], failed["failureReason"]) == ("FAILED", "USER_ERROR")
    assert "have no credentials" in failed["stateDetails"]
    assert reason in engine.job_runs[0].error


def test_a_role_that_does_not_trust_pods_cannot_be_tied_to_them(tmp_path: Path, start_engine: StartEngine) -> None:
    trust = pods()
    trust["Statement"][0]["Action"] = "sts:AssumeRole"
    engine = start_engine(emr_assembly(tmp_path, trust=trust))

    with pytest.raises(DeploymentFailed, match="Trust policy of the role provided is invalid"):
        engine.deploy()


NOWHERE = {"Id": "none", "Type": "EKS", "Info": {"EksInfo": {"Namespace": "spark"}}}


@pytest.mark.parametrize(
    ("logical_id", "properties", "problem"),
    [
        ("VirtualCluster", {"ContainerProvider": NOWHERE}, "EKS cluster 'none' does not exist"),
        ("VirtualCluster", {"SessionEnabled": True}, "SessionEnabled"),
        ("Namespace", {"Manifest": "[]"}, "no namespace 'spark'"),
        ("Namespace", {"Manifest": "kind: Namespace"}, "Manifest is no JSON"),
        ("Template", {"Name": "a b"}, "'name' failed to satisfy constraint"),
    ],
)
def test_what_aws_or_the_rehearsal_does_not_know_stops_the_deployment(
    tmp_path: Path, start_engine: StartEngine, logical_id: str, properties: Json, problem: str
) -> None:
    engine = start_engine(emr_assembly(tmp_path))

    def changed(template: Json) -> Json:
        template["Resources"][logical_id]["Properties"].update(properties)
        return template

    with pytest.raises(RehearsalError, match=problem):
        engine.deploy(mutate={"App": changed})


def test_a_run_can_be_killed_midway_at_a_chosen_request(tmp_path: Path, start_engine: StartEngine) -> None:
    elsewhere = allow(["s3:PutObject"], "arn:aws:s3:::shop-logs/*")
    engine = start_engine(emr_assembly(tmp_path, statements=(READ_ASSETS, elsewhere)))
    engine.deploy()
    with pytest.raises(RehearsalError, match="does not exist"):
        engine.faults.kill_job_at("other", "s3:PutObject")
    engine.faults.kill_job_at(TEMPLATE, "s3:PutObject", resource="*/elsewhere")

    killed = run(engine, in_full(engine, "put", name="anything"))

    assert killed["state"] == "FAILED"
    assert engine.job_runs[0].error == "Command failed with exit code 137"
    assert "elsewhere" not in str(engine.client("s3").list_objects_v2(Bucket="shop-logs"))
