"""What reading whole zones of the lake takes in IAM, for engines: catalog entries, files, the lake's key.

It must not give a zone that is not named, nor anything but reading.
"""

from collections.abc import Collection

from aws_cdk import aws_iam, aws_s3
from constructs import IConstruct

from building_blocks.acknowledgement import acknowledge, cited
from building_blocks.arns import arn_of
from building_blocks.encryption_key import key_use
from building_blocks.lake_access import Lake
from contracts.datasets import BATCH_PREFIX
from contracts.lake import Zone

RAW_PREFIXES = ("events/", BATCH_PREFIX)
"""What of the raw bucket is data; failed records are the operators'."""

CATALOG_READING = (
    "glue:GetDatabase",
    "glue:GetDatabases",
    "glue:GetPartition",
    "glue:GetPartitions",
    "glue:GetTable",
    "glue:GetTables",
)
"""What Athena and Redshift ask of the catalog; raw tables have partitions there."""


class ZonesRead:
    """Reading of ``zones``, the tables that are made later among them."""

    def __init__(self, *, lake: Lake, zones: Collection[Zone]) -> None:
        self._lake = lake
        self._zones = sorted(zones)

    def statements(self) -> list[aws_iam.PolicyStatement]:
        """The policy statements; none without zones."""
        if not self._zones:
            return []
        databases = [self._lake.databases[zone] for zone in self._zones]
        return [
            aws_iam.PolicyStatement(
                actions=list(CATALOG_READING),
                resources=[
                    arn_of("glue", "catalog"),
                    *(arn_of("glue", f"database/{name}") for name in databases),
                    *(arn_of("glue", f"table/{name}/*") for name in databases),
                ],
            ),
            *(
                statement
                for bucket, prefixes in self._places()
                for statement in (
                    aws_iam.PolicyStatement(
                        actions=["s3:GetObject"], resources=[bucket.arn_for_objects(f"{each}*") for each in prefixes]
                    ),
                    aws_iam.PolicyStatement(
                        actions=["s3:ListBucket"],
                        resources=[bucket.bucket_arn],
                        conditions={"StringLike": {"s3:prefix": [f"{each}*" for each in prefixes]}},
                    ),
                    aws_iam.PolicyStatement(actions=["s3:GetBucketLocation"], resources=[bucket.bucket_arn]),
                )
            ),
            *key_use(key=self._lake.transformed_bucket.encryption_key, service="s3", actions=["kms:Decrypt"]),
        ]

    def acknowledge(self, holder: IConstruct) -> None:
        """Say of each wildcard, on the role or policy that holds the statements, why it is right."""
        for bucket, prefixes in self._places():
            files = cited(holder, owner=bucket, arn=bucket.bucket_arn)
            for prefix in prefixes:
                acknowledge(
                    holder,
                    finding=f"AwsSolutions-IAM5[Resource::{files}/{prefix}*]",
                    reason=f"What lies below {prefix} of this one bucket is read as a whole; jobs and producers name "
                    "the files there.",
                )
        for zone in self._zones:
            home = self._lake.raw_bucket  # databases and buckets have one home
            database = cited(holder, owner=home, arn=self._lake.databases[zone])
            acknowledge(
                holder,
                finding=f"AwsSolutions-IAM5[Resource::{arn_of('glue', f'table/{database}/*', nag=True)}]",
                reason=f"The whole database of the {zone} zone is read, with the tables that are made later.",
            )

    def _places(self) -> list[tuple[aws_s3.IBucket, list[str]]]:
        made = [f"{zone}/" for zone in self._zones if zone is not Zone.RAW]
        return [
            *([(self._lake.raw_bucket, list(RAW_PREFIXES))] if Zone.RAW in self._zones else []),
            *([(self._lake.transformed_bucket, made)] if made else []),
        ]
