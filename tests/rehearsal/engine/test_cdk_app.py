"""A CDK app of nobody's in particular, with the defaults of its constructs, is rehearsed from its assembly."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from tests.rehearsal.engine.assemblies import NEEDS, StartEngine
from tests.rehearsal.engine.shop import FLATTEN, INGEST

pytest.importorskip("time_machine", reason=NEEDS)
cdk = pytest.importorskip("aws_cdk", reason="synthesizing needs aws-cdk-lib of requirements.txt")


def synthesize(folder: Path) -> Path:
    """Queue → function → stream → delivery stream → bucket, which tells another queue of new objects."""
    from aws_cdk import aws_kinesis as kinesis
    from aws_cdk import aws_kinesisfirehose as firehose
    from aws_cdk import aws_lambda as lambda_
    from aws_cdk import aws_lambda_event_sources as sources
    from aws_cdk import aws_s3 as s3
    from aws_cdk import aws_s3_notifications as notifications
    from aws_cdk import aws_sqs as sqs

    app = cdk.App(outdir=str(folder / "cdk.out"))
    stack = cdk.Stack(app, "Shop")
    letters = sqs.Queue(stack, "Letters", enforce_ssl=True)
    queue = sqs.Queue(
        stack,
        "Queue",
        visibility_timeout=cdk.Duration.seconds(60),
        encryption=sqs.QueueEncryption.KMS,
        dead_letter_queue=sqs.DeadLetterQueue(max_receive_count=2, queue=letters),
    )
    stream = kinesis.Stream(stack, "Stream", encryption=kinesis.StreamEncryption.KMS)
    code = folder / "ingest"
    code.mkdir()
    (code / "ingest.py").write_text(INGEST, "utf-8")
    ingest = lambda_.Function(
        stack,
        "Ingest",
        runtime=lambda_.Runtime.PYTHON_3_13,
        handler="ingest.handler",
        code=lambda_.Code.from_asset(str(code)),
        environment={"STREAM_NAME": stream.stream_name},
        timeout=cdk.Duration.seconds(10),
        tracing=lambda_.Tracing.ACTIVE,
    )
    ingest.add_event_source(sources.SqsEventSource(queue, batch_size=10, report_batch_item_failures=True))
    stream.grant_write(ingest)
    flatten = lambda_.Function(
        stack,
        "Flatten",
        runtime=lambda_.Runtime.PYTHON_3_13,
        handler="index.handler",
        code=lambda_.Code.from_inline(FLATTEN.strip()),
        timeout=cdk.Duration.seconds(20),
    )
    bucket = s3.Bucket(
        stack,
        "Bucket",
        encryption=s3.BucketEncryption.KMS,
        enforce_ssl=True,
        removal_policy=cdk.RemovalPolicy.DESTROY,
        auto_delete_objects=True,
    )
    told = sqs.Queue(stack, "Told")
    bucket.add_event_notification(
        s3.EventType.OBJECT_CREATED,
        notifications.SqsDestination(told),
        s3.NotificationKeyFilter(prefix="events/"),
    )
    firehose.DeliveryStream(
        stack,
        "Delivery",
        source=firehose.KinesisStreamSource(stream),
        destination=firehose.S3Bucket(
            bucket,
            buffering_interval=cdk.Duration.seconds(60),
            buffering_size=cdk.Size.mebibytes(5),
            compression=firehose.Compression.GZIP,
            data_output_prefix="events/",
            processors=[firehose.LambdaFunctionProcessor(flatten)],
        ),
    )
    for name, one in (("QueueUrl", queue.queue_url), ("ToldUrl", told.queue_url), ("BucketName", bucket.bucket_name)):
        cdk.CfnOutput(stack, name, value=one)
    app.synth()
    return folder / "cdk.out"


def test_a_cdk_app_with_default_constructs_runs_under_its_own_grants(
    tmp_path: Path, start_engine: StartEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CDK_VALIDATION", "false")
    monkeypatch.setenv("JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION", "1")
    engine = start_engine(synthesize(tmp_path))
    engine.deploy()
    outputs: Any = engine.outputs("Shop")
    for number in range(12):
        engine.client("sqs").send_message(QueueUrl=outputs["QueueUrl"], MessageBody=f"m{number:02d}")
    engine.settle()
    s3 = engine.client("s3")
    (item,) = s3.list_objects_v2(Bucket=outputs["BucketName"], Prefix="events/2030/01/01/12/")["Contents"]
    body = gzip.decompress(s3.get_object(Bucket=outputs["BucketName"], Key=item["Key"])["Body"].read())
    texts = sorted(json.loads(line)["text"].strip() for line in body.splitlines())
    assert texts == [f"m{number:02d}" for number in range(12)]
    (test_event, told) = engine.client("sqs").receive_message(QueueUrl=outputs["ToldUrl"], MaxNumberOfMessages=10)[
        "Messages"
    ]
    assert json.loads(test_event["Body"])["Event"] == "s3:TestEvent"
    assert json.loads(told["Body"])["Records"][0]["s3"]["object"]["key"] == item["Key"]
    assert engine.refusals == ()
