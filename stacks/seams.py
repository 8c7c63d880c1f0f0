"""What stacks hand on to each other: frozen dataclasses of interfaces.

It must not hold ARNs or names where an interface exists, nor anything that only one stack uses.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aws_cdk import Stack, aws_ec2, aws_iam, aws_kinesis, aws_kms, aws_s3, aws_sns

from building_blocks.job_package import JobCode
from building_blocks.job_role import JobSurroundings
from building_blocks.lake_access import Lake
from building_blocks.secret import Secret
from contracts.lake import Zone


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

    @property
    def lake(self) -> Lake:
        """The lake as policies name it."""
        return Lake(
            raw_bucket=self.raw_bucket,
            transformed_bucket=self.transformed_bucket,
            databases={
                Zone.RAW: self.raw_database_name,
                Zone.TRANSFORMED: self.transformed_database_name,
                Zone.PERSONAL: self.personal_database_name,
            },
        )

    def job_surroundings(self, *, database_prefix: str) -> JobSurroundings:
        """What jobs find around them, whatever they run on."""
        return JobSurroundings(
            lake=self.lake,
            database_prefix=database_prefix,
            person_key=self.person_key,
            readers_topic=self.readers_topic,
            notices_key=self.notices_key,
        )


@dataclass(frozen=True, kw_only=True)
class CodeSeam:
    """The code bucket with its key, and in it the code of the jobs."""

    bucket: aws_s3.IBucket
    key: aws_kms.IKey
    jobs: JobCode


@dataclass(frozen=True, kw_only=True)
class LakeJobsSeam:
    """The Glue jobs' names, by the name that contracts/jobs.py gives them."""

    job_names: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class EmrOnEksSeam:
    """Where runs are submitted, the zones to choose from, what they are started from, and who may."""

    virtual_cluster_id: str
    job_templates_parameter: str
    zones: Sequence[str]
    submitter_policy: aws_iam.IManagedPolicy


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
