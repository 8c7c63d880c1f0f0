"""A bucket of the lake: encrypted with our key, TLS only, versioned, logged, with a lifecycle.

It must not empty itself: whoever destroys a stack and its data empties the bucket first, on purpose.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from aws_cdk import Duration, aws_kms, aws_s3, aws_sns
from constructs import Construct, IDependable

from building_blocks.retention import removal_policy


class AccessLogBucket(aws_s3.Bucket):
    """Where S3 writes the access logs of other buckets.

    S3's own key encrypts it, because a bucket that takes server access logs can have no other ("Enabling
    Amazon S3 server access logging" page).
    """

    def __init__(self, scope: Construct, id: str, *, retention_days: int, keep: bool) -> None:
        super().__init__(
            scope,
            id,
            encryption=aws_s3.BucketEncryption.S3_MANAGED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            block_public_access=aws_s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=aws_s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            removal_policy=removal_policy(keep=keep),
            lifecycle_rules=[
                aws_s3.LifecycleRule(
                    expiration=Duration.days(retention_days),
                    abort_incomplete_multipart_upload_after=Duration.days(1),
                )
            ],
        )


@dataclass(frozen=True, kw_only=True)
class ObjectNotices:
    """S3 tells ``topic`` of every object created or removed under ``prefix``, once ``permission`` stands."""

    topic: aws_sns.ITopic
    prefix: str
    permission: IDependable


class LakeBucket(aws_s3.Bucket):
    """One zone of the lake; its object events go to EventBridge and, for one prefix, to a topic too."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        name: str,
        key: aws_kms.IKey,
        access_logs: aws_s3.IBucket,
        keep: bool,
        noncurrent_retention_days: int,
        retention_days: int | None = None,
        expiring_prefixes: Sequence[str] = (),
        infrequent_access_after_days: int | None = None,
        notices: ObjectNotices | None = None,
    ) -> None:
        """Make the bucket; what lies below ``expiring_prefixes`` expires after ``retention_days``, nothing else."""
        super().__init__(
            scope,
            id,
            bucket_name=name,
            encryption=aws_s3.BucketEncryption.KMS,
            encryption_key=key,
            bucket_key_enabled=True,
            versioned=True,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            block_public_access=aws_s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=aws_s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            server_access_logs_bucket=access_logs,
            server_access_logs_prefix=f"{id}/",
            removal_policy=removal_policy(keep=keep),
            lifecycle_rules=[
                *(
                    aws_s3.LifecycleRule(prefix=prefix, expiration=Duration.days(retention_days or 0))
                    for prefix in expiring_prefixes
                ),
                aws_s3.LifecycleRule(
                    transitions=_to_infrequent_access(after_days=infrequent_access_after_days),
                    noncurrent_version_expiration=Duration.days(noncurrent_retention_days),
                    # Or the marks of what was deleted stay for ever and slow listings down. Not in the rules above: S3
                    # takes it in no rule that counts days ("Lifecycle configuration elements" page).
                    expired_object_delete_marker=True,
                    abort_incomplete_multipart_upload_after=Duration.days(1),
                ),
            ],
        )
        # The construct library's own switch would add a function that may change any bucket's notifications.
        cast("aws_s3.CfnBucket", self.node.default_child).notification_configuration = _notifications(notices)
        if notices is not None:
            self.node.add_dependency(notices.permission)  # S3 tries to publish before it takes the configuration


def _to_infrequent_access(*, after_days: int | None) -> list[aws_s3.Transition] | None:
    if after_days is None:
        return None
    return [
        aws_s3.Transition(
            storage_class=aws_s3.StorageClass.INFREQUENT_ACCESS, transition_after=Duration.days(after_days)
        )
    ]


def _notifications(
    notices: ObjectNotices | None,
) -> aws_s3.CfnBucket.NotificationConfigurationProperty:
    """Native notifications beside EventBridge: Glue crawlers read these, not EventBridge's envelope."""
    topics = None
    if notices is not None:
        in_prefix = aws_s3.CfnBucket.NotificationFilterProperty(
            s3_key=aws_s3.CfnBucket.S3KeyFilterProperty(
                rules=[aws_s3.CfnBucket.FilterRuleProperty(name="prefix", value=notices.prefix)]
            )
        )
        topics = [
            aws_s3.CfnBucket.TopicConfigurationProperty(event=event, filter=in_prefix, topic=notices.topic.topic_arn)
            for event in ("s3:ObjectCreated:*", "s3:ObjectRemoved:*")
        ]
    return aws_s3.CfnBucket.NotificationConfigurationProperty(
        event_bridge_configuration=aws_s3.CfnBucket.EventBridgeConfigurationProperty(event_bridge_enabled=True),
        topic_configurations=topics,
    )
