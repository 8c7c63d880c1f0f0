"""An engine's life, its outside principals, bucket notifications, custom resources, and what it says when stuck."""

from __future__ import annotations

import json
import socket
import threading
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError

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

from rehearsal.engine.engine import Engine
from rehearsal.engine.errors import DeploymentFailed, RehearsalError, Unsupported


def managed(name: str, *statements: Json) -> Json:
    document = {"Version": "2012-10-17", "Statement": list(statements)}
    return {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": document, "ManagedPolicyName": name}}


def test_engines_follow_one_another_and_leave_nothing_behind(tmp_path: Path) -> None:
    folder = one_stack(tmp_path, {"Queue": {"Type": "AWS::SQS::Queue"}})
    before = threading.active_count()
    for _ in range(3):
        with Engine(folder) as engine:
            engine.deploy()
            assert len(engine.client("sqs").list_queues()["QueueUrls"]) == 1
            url = engine.endpoint_url
    assert threading.active_count() == before
    with pytest.raises(OSError, match="refused"):
        socket.create_connection((urlsplit(url).hostname, urlsplit(url).port), timeout=1)


def test_two_engines_at_once_are_refused(tmp_path: Path) -> None:
    folder = one_stack(tmp_path, {})
    with Engine(folder), pytest.raises(RehearsalError, match="Another Engine runs"), Engine(folder):
        pass
    with Engine(folder):
        pass


def test_an_outside_application_has_its_managed_policies_and_no_more(tmp_path: Path, start_engine: StartEngine) -> None:
    resources = {
        "Stream": {"Type": "AWS::Kinesis::Stream", "Properties": {"ShardCount": 1}},
        "Producer": managed("Producer", allow(["kinesis:PutRecords"], att("Stream"))),
    }
    engine = start_engine(one_stack(tmp_path, resources))
    engine.deploy()
    app = engine.principal("app", [engine.resource("App", "Producer").arn])
    client, name = engine.client("kinesis", app), engine.resource("App", "Stream").physical_id
    client.put_records(StreamName=name, Records=[{"Data": b"x", "PartitionKey": "p"}])
    with pytest.raises(ClientError, match=r"role/app/application.*is not authorized to perform: kinesis:ListShards"):
        client.list_shards(StreamName=name)


def test_another_account_and_region_are_where_everything_is(tmp_path: Path) -> None:
    folder = one_stack(tmp_path, {"Queue": {"Type": "AWS::SQS::Queue"}, "Bucket": {"Type": "AWS::S3::Bucket"}})
    with Engine(folder, account_id="210987654321", region="eu-central-1") as engine:
        engine.deploy()
        assert engine.resource("App", "Queue").arn.startswith("arn:aws:sqs:eu-central-1:210987654321:")
        bucket = engine.resource("App", "Bucket").physical_id
        location = engine.client("s3").get_bucket_location(Bucket=bucket)
        assert location["LocationConstraint"] == "eu-central-1"


def test_the_aws_cli_of_another_process_reaches_the_account(tmp_path: Path, start_engine: StartEngine) -> None:
    import boto3

    engine = start_engine(one_stack(tmp_path, {"Queue": {"Type": "AWS::SQS::Queue"}}))
    engine.deploy()
    given = engine.administrator_environment()
    client = boto3.client(
        "sqs",
        endpoint_url=given["AWS_ENDPOINT_URL"],
        region_name=given["AWS_REGION"],
        aws_access_key_id=given["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=given["AWS_SECRET_ACCESS_KEY"],
        aws_session_token=given["AWS_SESSION_TOKEN"],
    )
    assert len(client.list_queues()["QueueUrls"]) == 1


def notified(topic_policy: bool) -> Json:
    """A bucket that tells a topic, which a queue subscribes to, of what happens under ``batch/``."""
    tells = [
        {
            "Event": event,
            "Topic": {"Ref": "Topic"},
            "Filter": {"S3Key": {"Rules": [{"Name": "prefix", "Value": "batch/"}]}},
        }
        for event in ("s3:ObjectCreated:*", "s3:ObjectRemoved:*")
    ]

    def policy(service: str, action: str, resource: Any) -> Json:
        statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": action, "Resource": resource}
        return {"Version": "2012-10-17", "Statement": [statement]}

    resources: Json = {
        "Topic": {"Type": "AWS::SNS::Topic"},
        "Queue": {"Type": "AWS::SQS::Queue"},
        "QueuePolicy": {
            "Type": "AWS::SQS::QueuePolicy",
            "Properties": {
                "Queues": [{"Ref": "Queue"}],
                "PolicyDocument": policy("sns.amazonaws.com", "sqs:SendMessage", att("Queue")),
            },
        },
        "Subscription": {
            "Type": "AWS::SNS::Subscription",
            "Properties": {
                "TopicArn": {"Ref": "Topic"},
                "Protocol": "sqs",
                "Endpoint": att("Queue"),
                "RawMessageDelivery": True,
            },
        },
        "Bucket": {
            "Type": "AWS::S3::Bucket",
            "DependsOn": ["Subscription", "QueuePolicy"],
            "Properties": {
                "NotificationConfiguration": {"TopicConfigurations": tells},
                "VersioningConfiguration": {"Status": "Enabled"},
            },
        },
    }
    if topic_policy:
        resources["TopicPolicy"] = {
            "Type": "AWS::SNS::TopicPolicy",
            "Properties": {
                "Topics": [{"Ref": "Topic"}],
                "PolicyDocument": policy("s3.amazonaws.com", "sns:Publish", {"Ref": "Topic"}),
            },
        }
        resources["Bucket"]["DependsOn"].append("TopicPolicy")
    return resources


def test_a_bucket_tells_its_topic_of_what_happens_under_a_prefix(tmp_path: Path, start_engine: StartEngine) -> None:
    engine = start_engine(one_stack(tmp_path, notified(topic_policy=True)))
    engine.deploy()
    s3, bucket = engine.client("s3"), engine.resource("App", "Bucket").physical_id
    s3.put_object(Bucket=bucket, Key="batch/shows 1.json", Body=b"{}")
    s3.put_object(Bucket=bucket, Key="other/shows.json", Body=b"{}")
    s3.delete_object(Bucket=bucket, Key="batch/shows 1.json")
    engine.settle()
    url = engine.resource("App", "Queue").physical_id
    messages = engine.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    bodies = [json.loads(message["Body"]) for message in messages]
    assert bodies[0]["Event"] == "s3:TestEvent"
    records = [body["Records"][0] for body in bodies[1:]]
    assert [record["eventName"] for record in records] == ["ObjectCreated:Put", "ObjectRemoved:DeleteMarkerCreated"]
    assert {record["s3"]["object"]["key"] for record in records} == {"batch/shows+1.json"}


def test_a_bucket_whose_topic_refuses_it_is_not_created(tmp_path: Path, start_engine: StartEngine) -> None:
    engine = start_engine(one_stack(tmp_path, notified(topic_policy=False)))
    with pytest.raises(DeploymentFailed, match=r"Unable to validate the following destination.*sns:Publish"):
        engine.deploy()


CUSTOM = """
import json, urllib.request

def handler(event, context):
    answer = {"Status": event["ResourceProperties"]["Status"], "Reason": "as told",
              "PhysicalResourceId": "made", "Data": {"Size": event["ResourceProperties"]["Size"] + "!"},
              "StackId": event["StackId"], "RequestId": event["RequestId"],
              "LogicalResourceId": event["LogicalResourceId"]}
    request = urllib.request.Request(event["ResponseURL"], json.dumps(answer).encode(), method="PUT")
    urllib.request.urlopen(request).read()
"""


def custom(status: str, runtime: str = "python3.13") -> Json:
    return {
        "Role": role("lambda.amazonaws.com", allow(["logs:*"], "*")),
        "Function": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "Code": {"ZipFile": CUSTOM},
                "Handler": "index.handler",
                "Runtime": runtime,
                "Role": att("Role"),
            },
        },
        "Made": {
            "Type": "Custom::Thing",
            "Properties": {"ServiceToken": att("Function"), "Status": status, "Size": 3},
        },
    }


def test_a_custom_resource_runs_its_python_function(tmp_path: Path, start_engine: StartEngine) -> None:
    outputs = {"Size": {"Value": att("Made", "Size")}}
    engine = start_engine(one_stack(tmp_path, custom("SUCCESS"), Outputs=outputs))
    engine.deploy()
    assert engine.outputs("App") == {"Size": "3!"}
    assert engine.resource("App", "Made").physical_id == "made"


COPYING = """
import io, json, os, urllib.request, zipfile
import boto3

def handler(event, context):
    given = event["ResourceProperties"]
    answer = {"Status": "SUCCESS", "PhysicalResourceId": "copied", "StackId": event["StackId"],
              "RequestId": event["RequestId"], "LogicalResourceId": event["LogicalResourceId"]}
    try:
        body = boto3.client("s3").get_object(Bucket=given["Bucket"], Key=given["Asset"])["Body"].read()
        answer["Data"] = {"Names": ",".join(zipfile.ZipFile(io.BytesIO(body)).namelist())}
    except Exception as error:
        answer |= {"Status": "FAILED", "Reason": str(error)}
    request = urllib.request.Request(event["ResponseURL"], json.dumps(answer).encode(), method="PUT")
    urllib.request.urlopen(request).read()
"""


def copying(folder: Path, *statements: Json) -> Path:
    """An assembly with a custom resource that is told of a folder's asset, and its function with these rights."""
    writer = AssemblyWriter(folder)
    asset = writer.asset({"dags/hourly.py": "", "contracts/jobs.py": ""})["S3Key"]
    bucket = {"Fn::Sub": "cdk-hnb659fds-assets-${AWS::AccountId}-${AWS::Region}"}
    resources = {
        "Role": role("lambda.amazonaws.com", LOGS, *statements),
        "Function": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "Code": {"ZipFile": COPYING},
                "Handler": "index.handler",
                "Runtime": "python3.13",
                "Role": att("Role"),
            },
        },
        "Made": {
            "Type": "Custom::Thing",
            "Properties": {"ServiceToken": att("Function"), "Bucket": bucket, "Asset": asset},
        },
    }
    writer.stack("App", {"Resources": resources, "Outputs": {"Names": {"Value": att("Made", "Names")}}})
    return writer.write()


def test_a_custom_resource_finds_the_assets_that_it_is_told_of(tmp_path: Path, start_engine: StartEngine) -> None:
    engine = start_engine(copying(tmp_path, allow(["s3:GetObject"], "arn:aws:s3:::cdk-hnb659fds-assets-*/*")))
    engine.deploy()
    assert engine.outputs("App") == {"Names": "contracts/jobs.py,dags/hourly.py"}


def test_a_custom_resource_reads_assets_under_its_function_s_role(tmp_path: Path, start_engine: StartEngine) -> None:
    with pytest.raises(DeploymentFailed, match=r"App/Made .*AccessDenied.*s3:GetObject"):
        start_engine(copying(tmp_path)).deploy()


def test_a_custom_resource_that_fails_says_why(tmp_path: Path, start_engine: StartEngine) -> None:
    with pytest.raises(DeploymentFailed, match=r"App/Made .*FAILED: as told"):
        start_engine(one_stack(tmp_path, custom("FAILED"))).deploy()


def test_a_custom_resource_of_another_runtime_is_an_error(tmp_path: Path, start_engine: StartEngine) -> None:
    with pytest.raises(Unsupported, match=r"runtime nodejs22\.x, which cannot run here"):
        start_engine(one_stack(tmp_path, custom("SUCCESS", runtime="nodejs22.x"))).deploy()


def test_serving_carries_on_what_comes_in(tmp_path: Path, start_engine: StartEngine) -> None:
    engine = start_engine(one_stack(tmp_path, notified(topic_policy=True)))
    engine.deploy()
    stop = threading.Event()
    thread = threading.Thread(target=engine.serve, args=(stop,))
    thread.start()
    try:
        engine.client("sns").publish(TopicArn=engine.resource("App", "Topic").arn, Message="live")
        url = engine.resource("App", "Queue").physical_id
        bodies: list[str] = []
        for _ in range(100):
            answer = engine.client("sqs").receive_message(QueueUrl=url)
            bodies += [message["Body"] for message in answer.get("Messages", [])]
            if "live" in bodies:
                break
            stop.wait(0.05)
    finally:
        stop.set()
        thread.join()
    assert "live" in bodies
