"""The role of one job of the contracts, the same whatever runs the job: what the job's entry says, and nothing else.

It must not know what a job runs on: whoever runs it adds the trust and what running takes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aws_cdk import aws_iam, aws_kms, aws_sns
from constructs import Construct

from building_blocks.acknowledgement import acknowledge, cited
from building_blocks.arns import arn_of
from building_blocks.encryption_key import key_use
from building_blocks.job_package import JobCode
from building_blocks.lake_access import Lake, files, object_patterns, table_patterns, tables
from building_blocks.secret import Secret
from building_blocks.spark_settings import CATALOG
from contracts.jobs import Job


@dataclass(frozen=True, kw_only=True)
class JobSurroundings:
    """What jobs find around them: the lake, the secret of persons' keys, and the topic that readers listen to."""

    lake: Lake
    database_prefix: str
    person_key: Secret
    readers_topic: aws_sns.ITopic
    notices_key: aws_kms.IKey

    def arguments(self, job: Job, *, shuffle_partitions: int | None) -> dict[str, str]:
        """The standing arguments of ``job``: which job, which lake, and what the job's entry lets it have."""
        arguments = {
            "--job": job.name,
            "--raw-bucket": self.lake.raw_bucket.bucket_name,
            "--catalog": CATALOG,
            "--database-prefix": self.database_prefix,
        }
        if job.keys_persons:
            arguments["--person-key-secret"] = self.person_key.secret_arn
        if job.data_sets:
            arguments["--transformed-bucket"] = self.lake.transformed_bucket.bucket_name
        if job.tells_readers:
            arguments["--readers-topic"] = self.readers_topic.topic_arn
        if shuffle_partitions is not None:
            arguments["--shuffle-partitions"] = str(shuffle_partitions)
        return arguments

    def permissions(self, job: Job) -> list[aws_iam.PolicyStatement]:
        """What the entry of ``job`` lets it do besides files and tables."""
        statements = [*self.person_key.reading()] if job.keys_persons else []
        if job.tells_readers:
            statements += [
                aws_iam.PolicyStatement(actions=["sns:Publish"], resources=[self.readers_topic.topic_arn]),
                *key_use(key=self.notices_key, service="sns", actions=["kms:Decrypt", "kms:GenerateDataKey"]),
            ]
        return statements


def job_role(
    scope: Construct,
    *,
    job: Job,
    description: str,
    surroundings: JobSurroundings,
    code: JobCode,
    assumed_by: aws_iam.IPrincipal,
    running: Sequence[aws_iam.PolicyStatement],
    running_findings: Mapping[str, str],
    name: str | None = None,
) -> aws_iam.Role:
    """Make the role of ``job`` as `Role` in ``scope``, with its tables in a managed policy beside it.

    ``running`` is what the service that runs the job takes of the role to run any job, ``running_findings`` why each
    wildcard in it is right: the finding of cdk-nag, and the reason.
    """
    lake = surroundings.lake
    # A role's inline policies hold 10,240 characters, too few for maintenance, which names every table twice.
    table_policy = aws_iam.ManagedPolicy(
        scope,
        "Tables",
        description=f"Tables of the Glue catalog that the job {job.name} reads and writes",
        document=aws_iam.PolicyDocument(statements=tables(job, lake=lake), minimize=True),
    )
    statements = [*running, *code.reading(), *files(job, lake=lake), *surroundings.permissions(job)]
    role = aws_iam.Role(
        scope,
        "Role",
        role_name=name,
        description=description,
        assumed_by=assumed_by,
        managed_policies=[table_policy],
        inline_policies={"Permissions": aws_iam.PolicyDocument(statements=statements, minimize=True)},
    )
    _acknowledge_files(role, job=job, lake=lake)
    code.acknowledge(role)
    for zone, pattern in table_patterns(job):
        # Database and bucket have one home, of whose exports the finding tells.
        database = cited(table_policy, owner=lake.transformed_bucket, arn=lake.databases[zone])
        table = arn_of("glue", f"table/{database}/{pattern}", nag=True)
        acknowledge(
            table_policy,
            finding=f"AwsSolutions-IAM5[Resource::{table}]",
            reason="Each folder of undeclared files becomes a table; its name is known when the folder is there.",
        )
    for finding, reason in running_findings.items():
        acknowledge(role, finding=finding, reason=reason)
    return role


def _acknowledge_files(role: aws_iam.Role, *, job: Job, lake: Lake) -> None:
    """Each pattern of a role is a finding of its own, and has its own reason."""
    patterns = object_patterns(job)
    for bucket, names, reason in (
        (lake.raw_bucket, patterns["raw"], "The job reads every file that lands below this one prefix."),
        (
            lake.transformed_bucket,
            patterns["read"],
            "The job reads this one table, whose files Iceberg names as it writes them.",
        ),
        (
            lake.transformed_bucket,
            patterns["written"],
            "The job writes this one table, one kind of tables that are found as they come, or one data set's "
            "versions; Iceberg names the files, and a version is named by what determines it.",
        ),
    ):
        owner = cited(role, owner=bucket, arn=bucket.bucket_arn)
        for name in names:
            acknowledge(role, finding=f"AwsSolutions-IAM5[Resource::{owner}/{name}]", reason=reason)
