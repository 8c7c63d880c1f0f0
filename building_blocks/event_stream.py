"""The Kinesis data stream that events are put on, encrypted with our key, with its alarms.

It must not grant anything itself: it says what putting and reading take, and roles and policies take it on.
"""

from collections.abc import Sequence

from aws_cdk import Duration, aws_iam, aws_kinesis, aws_kms, aws_sns
from constructs import Construct

from building_blocks.acknowledgement import acknowledge
from building_blocks.alarms import Alarm, Runbook, metric
from building_blocks.encryption_key import key_use
from building_blocks.retention import removal_policy


class EventStream(aws_kinesis.Stream):
    """On-demand stream, or of ``provisioned_shards`` shards, keeping records for ``retention_hours``."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        key: aws_kms.IKey,
        retention_hours: int,
        provisioned_shards: int | None,
        keep: bool,
        iterator_age_seconds: int,
        alarm_topic: aws_sns.ITopic,
    ) -> None:
        """Make stream and alarms; ``provisioned_shards`` None is on-demand."""
        mode = aws_kinesis.StreamMode
        super().__init__(
            scope,
            id,
            stream_mode=mode.ON_DEMAND if provisioned_shards is None else mode.PROVISIONED,
            shard_count=provisioned_shards,
            retention_period=Duration.hours(retention_hours),
            encryption=aws_kinesis.StreamEncryption.KMS,
            encryption_key=key,
            removal_policy=removal_policy(keep=keep),
        )
        acknowledge(
            self,
            finding="AwsSolutions-KDS3",
            reason="A key of our own instead of aws/kinesis: its policy and its use can be limited, watched and taken "
            "back, which the service's key does not allow.",
        )
        dimensions = {"StreamName": self.stream_name}
        Alarm(
            self,
            "IteratorAge",
            metric=metric(
                namespace="AWS/Kinesis",
                name="GetRecords.IteratorAgeMilliseconds",
                dimensions=dimensions,
                statistic="Maximum",
            ),
            threshold=iterator_age_seconds * 1000,
            meaning="A reader of the event stream falls behind: what it serves is old, and records may expire unread.",
            runbook=Runbook.EVENTS_ARE_LATE,
            topic=alarm_topic,
        )
        Alarm(
            self,
            "WriteThrottles",
            metric=metric(
                namespace="AWS/Kinesis",
                name="WriteProvisionedThroughputExceeded",
                dimensions=dimensions,
                statistic="Sum",
            ),
            threshold=0,
            periods=3,
            meaning="The event stream refuses records for lack of capacity; producers must try again or lose them.",
            runbook=Runbook.STREAM_IS_THROTTLED,
            topic=alarm_topic,
        )


def putting(
    stream: aws_kinesis.IStream, *, actions: Sequence[str] = ("kinesis:PutRecords",)
) -> list[aws_iam.PolicyStatement]:
    """What putting on ``stream`` takes, a data key of its key among it, and nothing else."""
    return [
        aws_iam.PolicyStatement(actions=list(actions), resources=[stream.stream_arn]),
        *key_use(key=stream.encryption_key, service="kinesis", actions=["kms:GenerateDataKey"]),
    ]


def reading(stream: aws_kinesis.IStream, *, actions: Sequence[str]) -> list[aws_iam.PolicyStatement]:
    """What reading ``stream`` by ``actions`` takes, decryption among it."""
    return [
        aws_iam.PolicyStatement(actions=list(actions), resources=[stream.stream_arn]),
        *key_use(key=stream.encryption_key, service="kinesis", actions=["kms:Decrypt"]),
    ]
