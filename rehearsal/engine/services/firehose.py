"""Amazon Data Firehose delivery streams; how they move records is in `rehearsal.engine.firehose`."""

from __future__ import annotations

from rehearsal.engine.account import Account
from rehearsal.engine.firehose.configuration import read
from rehearsal.engine.firehose.delivery import Delivery
from rehearsal.engine.firehose.source import ACTING
from rehearsal.engine.iam import AccessDenied
from rehearsal.engine.resources import Created, Declaration, ResourceType


def _delivery_stream(account: Account, declaration: Declaration) -> Created:
    name = declaration.name(declaration.properties.get("DeliveryStreamName"))
    arn = account.arn("firehose", f"deliverystream/{name}")
    config = read(declaration, name=name, arn=arn)
    for role in {config.role_arn, config.source_role_arn}:
        try:
            account.client_as("s3", role, acting=ACTING, session=name[:64], source_arn=arn)
        except AccessDenied as error:
            raise declaration.fail(f"Firehose is unable to assume role {role}: {error}") from error
    account.scheduler.add(Delivery(account, config))
    return Created(ref=name, arn=arn, attributes={"Arn": arn})


_TARGET = "ExtendedS3DestinationConfiguration"

RESOURCE_TYPES = (
    ResourceType(
        name="AWS::KinesisFirehose::DeliveryStream",
        create=_delivery_stream,
        honoured=(
            "DeliveryStreamName",
            "DeliveryStreamType",
            "KinesisStreamSourceConfiguration.KinesisStreamARN",
            "KinesisStreamSourceConfiguration.RoleARN",
            f"{_TARGET}.BucketARN",
            f"{_TARGET}.BufferingHints.IntervalInSeconds",
            f"{_TARGET}.BufferingHints.SizeInMBs",
            f"{_TARGET}.CloudWatchLoggingOptions.Enabled",
            f"{_TARGET}.CloudWatchLoggingOptions.LogGroupName",
            f"{_TARGET}.CloudWatchLoggingOptions.LogStreamName",
            f"{_TARGET}.CompressionFormat",
            f"{_TARGET}.CustomTimeZone",
            f"{_TARGET}.DynamicPartitioningConfiguration.Enabled",
            f"{_TARGET}.ErrorOutputPrefix",
            f"{_TARGET}.FileExtension",
            f"{_TARGET}.Prefix",
            f"{_TARGET}.ProcessingConfiguration.Enabled",
            f"{_TARGET}.ProcessingConfiguration.Processors.Parameters",
            f"{_TARGET}.ProcessingConfiguration.Processors.Type",
            f"{_TARGET}.RoleARN",
        ),
        ignored={
            f"{_TARGET}.DynamicPartitioningConfiguration.RetryOptions": "a refused write is tried until the "
            "rehearsal ends, so that what is missing is named",
            f"{_TARGET}.EncryptionConfiguration": "objects are encrypted as the bucket's default says",
            f"{_TARGET}.S3BackupMode": "only its default, Disabled, is played: source records are not kept twice",
            "Tags": "no rule of the rehearsal reads a delivery stream's tags",
        },
    ),
)
