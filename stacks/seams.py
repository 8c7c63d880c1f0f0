"""What stacks hand on to each other: frozen dataclasses of interfaces.

It must not hold ARNs or names where an interface exists, nor anything that only one stack uses.
"""

from dataclasses import dataclass

from aws_cdk import Stack, aws_ec2, aws_iam, aws_kinesis, aws_kms, aws_s3, aws_sns

from building_blocks.secret import Secret


@dataclass(frozen=True, kw_only=True)
class DataLakeSeam:
    """The lake: buckets, databases by name, the key of persons, and the topics for files, readers and alarms."""

    raw_bucket: aws_s3.IBucket
    transformed_bucket: aws_s3.IBucket
    raw_database_name: str
    transformed_database_name: str
    personal_database_name: str
    person_key: Secret
    batch_files_topic: aws_sns.ITopic
    readers_topic: aws_sns.ITopic
    notices_key: aws_kms.IKey
    alarm_topic: aws_sns.ITopic


@dataclass(frozen=True, kw_only=True)
class EventStreamSeam:
    """The stream, and the managed policies that let applications put on it and read it."""

    stream: aws_kinesis.IStream
    producer_policy: aws_iam.IManagedPolicy
    reader_policy: aws_iam.IManagedPolicy


@dataclass(frozen=True, kw_only=True)
class NetworkSeam:
    """The VPC; its isolated subnets are all that it has."""

    vpc: aws_ec2.IVpc


def pin(stack: Stack, *values: str) -> None:
    """Export each value whether or not a stack uses it today.

    An export that comes and goes with its last consumer blocks the deployment that drops that consumer: the
    producer's update would delete what is still imported.
    """
    for value in values:
        stack.export_value(value)
