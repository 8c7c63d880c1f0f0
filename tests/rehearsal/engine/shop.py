"""A small application for the engine's tests: topic → queue → function → stream → delivery stream → bucket."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.rehearsal.engine.assemblies import LOGS, AssemblyWriter, Json, allow, att, role

INGEST = """
import json, os, boto3

KINESIS = boto3.client("kinesis")

def handler(event, context):
    entries, failures = [], []
    for record in event["Records"]:
        body = record["body"]
        if "Type" in body and "Notification" in body:
            body = json.loads(body)["Message"]
        if body == "poison":
            failures.append({"itemIdentifier": record["messageId"]})
            continue
        entries.append({"Data": body.encode() + b"\\n", "PartitionKey": body[:10]})
    while entries:
        answer = KINESIS.put_records(StreamName=os.environ["STREAM_NAME"], Records=entries)
        entries = [e for e, r in zip(entries, answer["Records"]) if "ErrorCode" in r]
    return {"batchItemFailures": failures}
"""

FLATTEN = """
import base64, json

def handler(event, context):
    answers = []
    for record in event["records"]:
        data = base64.b64decode(record["data"])
        keys = {"kind": data.decode()[:1] or "none", "hour": "2030-01-01-00"}
        line = json.dumps({"text": data.decode(), "at": record["approximateArrivalTimestamp"]}) + "\\n"
        answers.append({
            "recordId": record["recordId"], "result": "Ok",
            "data": base64.b64encode(line.encode()).decode(),
            "metadata": {"partitionKeys": keys},
        })
    print(json.dumps({"_aws": {"Timestamp": 1893456000000, "CloudWatchMetrics": [{"Namespace": "Shop",
        "Dimensions": [["service"]], "Metrics": [{"Name": "Lines", "Unit": "Count"}]}]},
        "service": "flatten", "Lines": len(answers)}))
    return {"records": answers}
"""

KMS_VIA = ["kms:Decrypt", "kms:GenerateDataKey"]


def key_policy(account_root: Any) -> Json:
    """The root delegates to IAM; SNS may use the key to write to encrypted queues."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"AWS": account_root}, "Action": "kms:*", "Resource": "*"},
            {
                "Effect": "Allow",
                "Principal": {"Service": "sns.amazonaws.com"},
                "Action": KMS_VIA,
                "Resource": "*",
            },
        ],
    }


def shop(folder: Path, *, ingest: str = INGEST, flatten: str = FLATTEN) -> Path:
    """Write the application; gives the assembly's folder."""
    writer = AssemblyWriter(folder)
    writer.stack("Shop", {"Resources": _resources(writer, ingest, flatten), "Outputs": _OUTPUTS})
    return writer.write()


_OUTPUTS = {
    "TopicArn": {"Value": {"Ref": "Topic"}},
    "QueueUrl": {"Value": {"Ref": "Queue"}},
    "DeadLettersUrl": {"Value": {"Ref": "DeadLetters"}},
    "StreamName": {"Value": {"Ref": "Stream"}},
    "StreamArn": {"Value": att("Stream")},
    "Bucket": {"Value": {"Ref": "Bucket"}},
    "KeyArn": {"Value": att("Key")},
    "QueueArn": {"Value": att("Queue")},
}


def _resources(writer: AssemblyWriter, ingest: str, flatten: str) -> Json:
    key = {"KmsMasterKeyId": att("Key")}
    return {
        "Key": {
            "Type": "AWS::KMS::Key",
            "Properties": {"KeyPolicy": key_policy({"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"})},
        },
        "Topic": {"Type": "AWS::SNS::Topic", "Properties": {}},
        "DeadLetters": {"Type": "AWS::SQS::Queue", "Properties": dict(key)},
        "Queue": {
            "Type": "AWS::SQS::Queue",
            "Properties": {
                **key,
                "VisibilityTimeout": 60,
                "RedrivePolicy": {"deadLetterTargetArn": att("DeadLetters"), "maxReceiveCount": 3},
            },
        },
        "QueuePolicy": {
            "Type": "AWS::SQS::QueuePolicy",
            "Properties": {
                "Queues": [{"Ref": "Queue"}],
                "PolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Principal": {"Service": "sns.amazonaws.com"},
                            "Action": "sqs:SendMessage",
                            "Resource": att("Queue"),
                            "Condition": {"ArnEquals": {"aws:SourceArn": {"Ref": "Topic"}}},
                        }
                    ],
                },
            },
        },
        "Subscription": {
            "Type": "AWS::SNS::Subscription",
            "Properties": {"TopicArn": {"Ref": "Topic"}, "Protocol": "sqs", "Endpoint": att("Queue")},
        },
        "IngestRole": role(
            "lambda.amazonaws.com",
            LOGS,
            allow(["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"], att("Queue")),
            allow(["kinesis:PutRecords"], att("Stream")),
            allow(KMS_VIA, att("Key")),
        ),
        "Ingest": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "Code": writer.asset({"app/ingest.py": ingest, "app/__init__.py": ""}),
                "Handler": "app.ingest.handler",
                "Runtime": "python3.13",
                "Role": att("IngestRole"),
                "Timeout": 10,
                "Environment": {"Variables": {"STREAM_NAME": {"Ref": "Stream"}}},
            },
        },
        "Mapping": {
            "Type": "AWS::Lambda::EventSourceMapping",
            "Properties": {
                "EventSourceArn": att("Queue"),
                "FunctionName": {"Ref": "Ingest"},
                "BatchSize": 20,
                "MaximumBatchingWindowInSeconds": 5,
                "FunctionResponseTypes": ["ReportBatchItemFailures"],
            },
        },
        "Stream": {
            "Type": "AWS::Kinesis::Stream",
            "Properties": {
                "StreamModeDetails": {"StreamMode": "ON_DEMAND"},
                "StreamEncryption": {"EncryptionType": "KMS", "KeyId": att("Key")},
            },
        },
        "FlattenRole": role("lambda.amazonaws.com", LOGS),
        "Flatten": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "Code": writer.asset({"flatten.py": flatten}),
                "Handler": "flatten.handler",
                "Runtime": "python3.13",
                "Role": att("FlattenRole"),
                "Timeout": 20,
            },
        },
        "Bucket": {
            "Type": "AWS::S3::Bucket",
            "Properties": {
                "BucketEncryption": {
                    "ServerSideEncryptionConfiguration": [
                        {
                            "ServerSideEncryptionByDefault": {
                                "SSEAlgorithm": "aws:kms",
                                "KMSMasterKeyID": att("Key"),
                            }
                        }
                    ]
                }
            },
        },
        **_delivery(),
    }


def _delivery() -> Json:
    objects = {"Fn::Join": ["", [att("Bucket"), "/*"]]}
    return {
        "DeliveryRole": role(
            "firehose.amazonaws.com",
            allow(
                ["kinesis:DescribeStream", "kinesis:GetShardIterator", "kinesis:GetRecords", "kinesis:ListShards"],
                att("Stream"),
            ),
            allow(["lambda:InvokeFunction"], att("Flatten")),
            allow(["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"], att("Bucket")),
            allow(["s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"], objects),
            allow(KMS_VIA, att("Key")),
        ),
        "Delivery": {
            "Type": "AWS::KinesisFirehose::DeliveryStream",
            "Properties": {
                "DeliveryStreamType": "KinesisStreamAsSource",
                "KinesisStreamSourceConfiguration": {
                    "KinesisStreamARN": att("Stream"),
                    "RoleARN": att("DeliveryRole"),
                },
                "ExtendedS3DestinationConfiguration": {
                    "BucketARN": att("Bucket"),
                    "RoleARN": att("DeliveryRole"),
                    "BufferingHints": {"IntervalInSeconds": 60, "SizeInMBs": 64},
                    "CompressionFormat": "GZIP",
                    "FileExtension": ".json.gz",
                    "Prefix": "events/kind=!{partitionKeyFromLambda:kind}/hour=!{partitionKeyFromLambda:hour}/",
                    "ErrorOutputPrefix": "errors/!{firehose:error-output-type}/!{timestamp:yyyy-MM-dd-HH}/",
                    "DynamicPartitioningConfiguration": {"Enabled": True},
                    "ProcessingConfiguration": {
                        "Enabled": True,
                        "Processors": [
                            {
                                "Type": "RecordDeAggregation",
                                "Parameters": [
                                    {"ParameterName": "SubRecordType", "ParameterValue": "DELIMITED"},
                                    {"ParameterName": "Delimiter", "ParameterValue": "Cg=="},
                                ],
                            },
                            {
                                "Type": "Lambda",
                                "Parameters": [
                                    {"ParameterName": "LambdaArn", "ParameterValue": att("Flatten")},
                                    {"ParameterName": "BufferSizeInMBs", "ParameterValue": "1"},
                                    {"ParameterName": "BufferIntervalInSeconds", "ParameterValue": "10"},
                                ],
                            },
                        ],
                    },
                },
            },
        },
    }
