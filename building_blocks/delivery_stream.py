"""The Firehose stream from the Kinesis stream through the flattening function into the raw bucket, and its alarms.

It must not know event types: the function names zone, type and arrival hour of each record.
"""

import base64

from aws_cdk import (
    ArnFormat,
    Stack,
    aws_iam,
    aws_kinesis,
    aws_kinesisfirehose,
    aws_kms,
    aws_lambda,
    aws_logs,
    aws_s3,
    aws_sns,
)
from constructs import Construct

from building_blocks.acknowledgement import acknowledge, cited
from building_blocks.alarms import Alarm, Runbook, metric
from building_blocks.encryption_key import key_use
from building_blocks.event_stream import reading
from building_blocks.log_group import LogGroup

PREFIX = "!{partitionKeyFromLambda:zone}/type=!{partitionKeyFromLambda:type}/arrival=!{partitionKeyFromLambda:arrival}/"
"""Where a record lands; its three partition keys come from the function's answer."""

ERROR_PREFIX = "firehose-errors/!{firehose:error-output-type}/!{timestamp:yyyy-MM-dd-HH}/"
"""Where Firehose writes what it could not process or deliver."""

ZONES = ("events", "quarantine", "firehose-errors")
"""First folders of the raw bucket that Firehose writes to; its role can write nowhere else."""

_LOG_STREAM = "S3Delivery"
_NEWLINE = base64.b64encode(b"\n").decode()


class DeliveryStream(Construct):
    """Delivery into S3 as gzip JSON lines, dynamically partitioned, one stream record holding many lines.

    De-aggregation and dynamic partitioning are on from the first deployment, because partitioning cannot be
    switched on for an existing stream ("Dynamic partitioning" page).
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        source: aws_kinesis.IStream,
        destination: aws_s3.IBucket,
        transform: aws_lambda.IFunction,
        buffer_seconds: int,
        buffer_mebibytes: int,
        transform_buffer_seconds: int,
        transform_buffer_megabytes: float,
        log_group_name: str,
        log_retention_days: int,
        log_key: aws_kms.IKey,
        freshness_seconds: int,
        alarm_topic: aws_sns.ITopic,
    ) -> None:
        """Make the delivery stream.

        Raises:
            ValueError: a buffer outside the service's limits for dynamic partitioning (60 to 900 s, 64 to 128
                MiB) or for Lambda (0.2 to 3 MB).
        """
        super().__init__(scope, id)
        _check(self, what="buffer_seconds", value=buffer_seconds, low=60, high=900)
        _check(self, what="buffer_mebibytes", value=buffer_mebibytes, low=64, high=128)
        _check(self, what="transform_buffer_seconds", value=transform_buffer_seconds, low=0, high=900)
        _check(self, what="transform_buffer_megabytes", value=transform_buffer_megabytes, low=0.2, high=3)
        log_group = LogGroup(self, "Logs", name=log_group_name, key=log_key, retention_days=log_retention_days)
        log_stream = aws_logs.CfnLogStream(
            self, "LogStream", log_group_name=log_group.log_group_name, log_stream_name=_LOG_STREAM
        )
        role = _role(self, source=source, destination=destination, transform=transform, log_group_name=log_group_name)
        firehose = aws_kinesisfirehose.CfnDeliveryStream
        self.delivery_stream = firehose(
            self,
            "Stream",
            delivery_stream_type="KinesisStreamAsSource",
            kinesis_stream_source_configuration=firehose.KinesisStreamSourceConfigurationProperty(
                kinesis_stream_arn=source.stream_arn, role_arn=role.role_arn
            ),
            extended_s3_destination_configuration=firehose.ExtendedS3DestinationConfigurationProperty(
                bucket_arn=destination.bucket_arn,
                role_arn=role.role_arn,
                prefix=PREFIX,
                error_output_prefix=ERROR_PREFIX,
                file_extension=".json.gz",
                compression_format="GZIP",
                buffering_hints=firehose.BufferingHintsProperty(
                    interval_in_seconds=buffer_seconds, size_in_m_bs=buffer_mebibytes
                ),
                dynamic_partitioning_configuration=firehose.DynamicPartitioningConfigurationProperty(
                    enabled=True, retry_options=firehose.RetryOptionsProperty(duration_in_seconds=300)
                ),
                encryption_configuration=_encryption(destination),
                processing_configuration=firehose.ProcessingConfigurationProperty(
                    enabled=True,
                    processors=[
                        _processor("RecordDeAggregation", SubRecordType="DELIMITED", Delimiter=_NEWLINE),
                        _processor(
                            "Lambda",
                            LambdaArn=transform.function_arn,
                            RoleArn=role.role_arn,
                            NumberOfRetries="3",
                            BufferSizeInMBs=f"{transform_buffer_megabytes:g}",
                            BufferIntervalInSeconds=f"{transform_buffer_seconds}",
                        ),
                    ],
                ),
                cloud_watch_logging_options=firehose.CloudWatchLoggingOptionsProperty(
                    enabled=True, log_group_name=log_group.log_group_name, log_stream_name=log_stream.ref
                ),
            ),
        )
        acknowledge(
            self.delivery_stream,
            finding="AwsSolutions-KDF1",
            reason="Firehose takes no encryption of its own with a Kinesis source; it keeps what it buffers under "
            'the source stream\'s key, which is ours ("Data protection in Amazon Data Firehose" page).',
        )
        self._watch(freshness_seconds=freshness_seconds, topic=alarm_topic)

    def _watch(self, *, freshness_seconds: int, topic: aws_sns.ITopic) -> None:
        late, fails = Runbook.EVENTS_ARE_LATE, Runbook.FUNCTION_FAILS
        for id, name, statistic, threshold, below, runbook, meaning in (
            (
                "Freshness", "DeliveryToS3.DataFreshness", "Maximum", freshness_seconds, False, late,
                "Firehose holds records that should have been delivered long ago; readers of the lake see old data.",
            ),
            (
                "FailedDeliveries", "DeliveryToS3.Success", "Average", 1, True, late,
                "Firehose cannot write to the raw bucket; it tries for 24 hours and then gives records up.",
            ),
            (
                "FailedRecords", "ExecuteProcessing.Success", "Average", 1, True, fails,
                "Calls of the flattening function fail; after four calls Firehose writes the batch to "
                "firehose-errors/processing-failed/.",
            ),
            (
                "PartitionsExceeded", "PartitionCountExceeded", "Maximum", 0, False, late,
                "Records have more partitions at once than Firehose keeps open; those beyond go to firehose-errors/.",
            ),
            (
                "BehindSource", "KinesisMillisBehindLatest", "Maximum", freshness_seconds * 1000, False, late,
                "Firehose reads the event stream slower than it is written.",
            ),
        ):  # fmt: skip
            Alarm(
                self,
                id,
                metric=metric(
                    namespace="AWS/Firehose",
                    name=name,
                    dimensions={"DeliveryStreamName": self.delivery_stream.ref},
                    statistic=statistic,
                ),
                threshold=threshold,
                below=below,
                meaning=meaning,
                runbook=runbook,
                topic=topic,
            )


def _role(
    scope: Construct,
    *,
    source: aws_kinesis.IStream,
    destination: aws_s3.IBucket,
    transform: aws_lambda.IFunction,
    log_group_name: str,
) -> aws_iam.Role:
    """The role that Firehose assumes ("Controlling access with Amazon Data Firehose" page).

    The function's grant names its unpublished version too, because Firehose may call it by that.
    """
    statement = aws_iam.PolicyStatement
    log_stream_arn = Stack.of(scope).format_arn(
        service="logs",
        resource="log-group",
        resource_name=f"{log_group_name}:log-stream:{_LOG_STREAM}",
        arn_format=ArnFormat.COLON_RESOURCE_NAME,
    )
    statements = [
        *reading(
            source,
            actions=[
                "kinesis:DescribeStream",
                "kinesis:GetRecords",
                "kinesis:GetShardIterator",
                "kinesis:ListShards",
            ],
        ),
        statement(
            actions=["lambda:GetFunctionConfiguration", "lambda:InvokeFunction"],
            resources=[transform.function_arn, f"{transform.function_arn}:$LATEST"],
        ),
        statement(
            actions=["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"],
            resources=[destination.bucket_arn],
        ),
        statement(
            actions=["s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"],
            resources=[destination.arn_for_objects(f"{zone}/*") for zone in ZONES],
        ),
        *key_use(key=destination.encryption_key, service="s3", actions=["kms:Decrypt", "kms:GenerateDataKey"]),
        statement(actions=["logs:PutLogEvents"], resources=[log_stream_arn]),
    ]
    role = aws_iam.Role(
        scope,
        "Role",
        description="What Firehose may do on the way from the event stream to the raw bucket",
        assumed_by=aws_iam.ServicePrincipal("firehose.amazonaws.com"),
        inline_policies={"Delivery": aws_iam.PolicyDocument(statements=statements, minimize=True)},
    )
    bucket = cited(role, owner=destination, arn=destination.bucket_arn)
    for zone in ZONES:
        acknowledge(
            role,
            finding=f"AwsSolutions-IAM5[Resource::{bucket}/{zone}/*]",
            reason=f"Firehose names each object it writes; it may do so under {zone}/ of this one bucket only.",
        )
    return role


def _encryption(
    bucket: aws_s3.IBucket,
) -> aws_kinesisfirehose.CfnDeliveryStream.EncryptionConfigurationProperty | None:
    """Named here too, so that a write under another key is refused rather than passed over."""
    if bucket.encryption_key is None:
        return None
    firehose = aws_kinesisfirehose.CfnDeliveryStream
    return firehose.EncryptionConfigurationProperty(
        kms_encryption_config=firehose.KMSEncryptionConfigProperty(awskms_key_arn=bucket.encryption_key.key_arn)
    )


def _processor(type: str, **parameters: str) -> aws_kinesisfirehose.CfnDeliveryStream.ProcessorProperty:
    firehose = aws_kinesisfirehose.CfnDeliveryStream
    return firehose.ProcessorProperty(
        type=type,
        parameters=[
            firehose.ProcessorParameterProperty(parameter_name=name, parameter_value=value)
            for name, value in parameters.items()
        ],
    )


def _check(scope: Construct, *, what: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise ValueError(
            f"{scope.node.path}: {what} is out of Firehose's range; given: {value}; allowed: {low} to {high}; "
            f"fix: set {what} in the stage's configuration."
        )
