"""The function that publishes code as CloudFormation calls it: it answers, whatever happens."""

from __future__ import annotations

import importlib
import json
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import boto3
import pytest
from moto import mock_aws

HANDLER = "lambdas.publish_code.handler"


class Context:
    """What the function reads of Lambda's context object."""

    log_stream_name = "2026/11/22/[$LATEST]0123"


class Answers(HTTPServer):
    """CloudFormation's address: keeps what it is told, and the content type that came with it."""

    said: dict[str, Any]
    content_type: str | None
    refuses = False


class _Put(BaseHTTPRequestHandler):
    server: Answers

    def do_PUT(self) -> None:
        self.server.said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.content_type = self.headers["Content-Type"]
        self.send_response(403 if self.server.refuses else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        del arguments


@pytest.fixture
def cloudformation() -> Iterator[Answers]:
    server = Answers(("127.0.0.1", 0), _Put)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def handler(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name, value in {
        "ASSET_BUCKET": "assets",
        "CODE_BUCKET": "code",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
    }.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        s3 = boto3.client("s3")
        for bucket in ("assets", "code"):
            s3.create_bucket(Bucket=bucket)
        s3.put_bucket_versioning(Bucket="code", VersioningConfiguration={"Status": "Enabled"})
        s3.put_object(Bucket="assets", Key="abc.py", Body=b"print()")
        sys.modules.pop(HANDLER, None)
        yield importlib.import_module(HANDLER).handler
    sys.modules.pop(HANDLER, None)


def _request(cloudformation: Answers, **properties: Any) -> dict[str, Any]:
    return {
        "RequestType": "Create",
        "ResponseURL": f"http://127.0.0.1:{cloudformation.server_port}/answer?Signature=x",
        "StackId": "stack",
        "RequestId": "request",
        "LogicalResourceId": "JobsPublished",
        "ResourceProperties": {"ServiceToken": "arn", "ServiceTimeout": "1200", **properties},
    }


def test_it_publishes_and_tells_the_version_without_a_content_type(handler: Any, cloudformation: Answers) -> None:
    file = {"Asset": "abc.py", "Key": "jobs/h/run_job.py"}
    pointer = {"Key": "jobs/current.json", "Hash": "h"}
    handler(_request(cloudformation, Files={"Script": file}, Pointer=pointer), Context())
    s3 = boto3.client("s3")
    version = s3.head_object(Bucket="code", Key="jobs/h/run_job.py")["VersionId"]
    assert cloudformation.said == {
        "Status": "SUCCESS",
        "Reason": "published",
        "PhysicalResourceId": "JobsPublished-published",
        "StackId": "stack",
        "RequestId": "request",
        "LogicalResourceId": "JobsPublished",
        "Data": {"ScriptVersion": version},
    }
    assert not cloudformation.content_type, "the address is signed without one"
    assert json.loads(s3.get_object(Bucket="code", Key="jobs/current.json")["Body"].read()) == {"hash": "h"}


@pytest.mark.parametrize(
    ("properties", "said"),
    [
        ({"File": {}}, "PublicationError: unknown properties; given: ['File']; allowed: Files, Folders, Pointer"),
        ({"Files": {"Script": {"Asset": "gone.py", "Key": "k"}}}, "NoSuchKey"),
    ],
)
def test_what_goes_wrong_is_answered_with_its_reason(
    handler: Any, cloudformation: Answers, properties: dict[str, Any], said: str
) -> None:
    handler(_request(cloudformation, **properties), Context())
    assert cloudformation.said["Status"] == "FAILED"
    assert said in cloudformation.said["Reason"]
    assert Context.log_stream_name in cloudformation.said["Reason"]


def test_an_answer_that_is_refused_fails_the_call_so_that_lambda_tries_again(
    handler: Any, cloudformation: Answers
) -> None:
    cloudformation.refuses = True
    with pytest.raises(RuntimeError, match="answered 403"):
        handler(_request(cloudformation, Pointer={"Key": "k", "Hash": "h"}), Context())
