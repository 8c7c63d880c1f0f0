"""The event stream and its way into the lake: Kinesis, the flattening function, Firehose, and access by policy.

It must not know who puts events on the stream or reads them.
"""

from aws_cdk import CfnOutput, Stack, aws_iam
from constructs import Construct

from building_blocks.delivery_stream import DeliveryStream
from building_blocks.encryption_key import EncryptionKey
from building_blocks.event_stream import EventStream, putting, reading
from building_blocks.flatten_alarms import FlattenAlarms
from building_blocks.python_function import PythonFunction
from config import naming
from config.model import Part, Stage
from stacks.seams import DataLakeSeam, EventStreamSeam, pin

FLATTEN_SERVICE = "flatten-events"


class EventStreamStack(Stack):
    """Takes events from anyone with the producer policy and lands them in the raw bucket within minutes."""

    def __init__(self, scope: Construct, id: str, *, stage: Stage, keep_data: bool, data_lake: DataLakeSeam) -> None:
        """Make the stack for ``stage``; with ``keep_data`` the stream and its key outlive it."""
        super().__init__(
            scope,
            id,
            stack_name=naming.stack_name(stage=stage, part=Part.EVENT_STREAM),
            description="Amp data platform: event stream, flattening and delivery into the lake",
            tags=dict(stage.tags),
            termination_protection=keep_data,
        )
        settings, operations = stage.event_stream, stage.operations
        log_prefix = naming.log_group_prefix(stage=stage, part=Part.EVENT_STREAM)
        key = EncryptionKey(
            self,
            "StreamKey",
            description="Records on the event stream and the logs of their delivery",
            alias=naming.key_alias(stage=stage, purpose="event-stream"),
            keep=keep_data,
            log_group_prefix=log_prefix,
        )
        stream = EventStream(
            self,
            "Events",
            key=key,
            retention_hours=settings.retention_hours,
            provisioned_shards=settings.provisioned_shards,
            keep=keep_data,
            iterator_age_seconds=operations.iterator_age_seconds,
            alarm_topic=data_lake.alarm_topic,
        )
        flatten = PythonFunction(
            self,
            "Flatten",
            name="flatten_events",
            description="Flattens events to their contracts' columns on the way into the lake",
            environment={
                "METRICS_NAMESPACE": naming.metrics_namespace(stage=stage),
                "SERVICE": FLATTEN_SERVICE,
            },
            permissions=putting(stream),
            memory_mebibytes=settings.flatten_memory_mebibytes,
            timeout_seconds=settings.flatten_timeout_seconds,
            reserved_concurrency=settings.flatten_reserved_concurrency,
            log_group_name=f"{log_prefix}/flatten-events",
            log_retention_days=operations.log_retention_days,
            log_level=operations.log_level,
            key=key,
            alarm_topic=data_lake.alarm_topic,
        )
        FlattenAlarms(
            self,
            "FlattenAlarms",
            metrics_namespace=naming.metrics_namespace(stage=stage),
            service=FLATTEN_SERVICE,
            quarantined_percent=operations.quarantined_percent,
            dropped_records=operations.dropped_records,
            alarm_topic=data_lake.alarm_topic,
        )
        DeliveryStream(
            self,
            "Delivery",
            source=stream,
            destination=data_lake.raw_bucket,
            transform=flatten.function,
            buffer_seconds=settings.delivery_buffer_seconds,
            buffer_mebibytes=settings.delivery_buffer_mebibytes,
            transform_buffer_seconds=settings.transform_buffer_seconds,
            transform_buffer_megabytes=settings.transform_buffer_megabytes,
            log_group_name=f"{log_prefix}/firehose",
            log_retention_days=operations.log_retention_days,
            log_key=key,
            freshness_seconds=operations.freshness_seconds,
            alarm_topic=data_lake.alarm_topic,
        )
        producer_policy = aws_iam.ManagedPolicy(
            self,
            "ProducerPolicy",
            description="Puts events on the event stream and does nothing else",
            statements=putting(stream, actions=["kinesis:PutRecord", "kinesis:PutRecords"]),
        )
        reader_policy = aws_iam.ManagedPolicy(
            self,
            "ReaderPolicy",
            description="Reads the event stream, as a downstream application does",
            statements=reading(
                stream,
                actions=[
                    "kinesis:DescribeStream",
                    "kinesis:DescribeStreamSummary",
                    "kinesis:GetRecords",
                    "kinesis:GetShardIterator",
                    "kinesis:ListShards",
                ],
            ),
        )
        operator_policy = aws_iam.ManagedPolicy(
            self,
            "OperatorPolicy",
            description="Puts failed records back on the event stream",
            statements=putting(stream),
        )
        self.seam = EventStreamSeam(stream=stream, producer_policy=producer_policy, reader_policy=reader_policy)
        pin(self, stream.stream_arn, stream.stream_name, key.key_arn)
        for name, value in (
            ("EventStreamName", stream.stream_name),
            ("EventStreamArn", stream.stream_arn),
            ("ProducerPolicyArn", producer_policy.managed_policy_arn),
            ("ReaderPolicyArn", reader_policy.managed_policy_arn),
            ("OperatorPolicyArn", operator_policy.managed_policy_arn),
        ):
            CfnOutput(self, name, value=value)
