"""An Athena workgroup whose limit and encryption nobody can leave out, its results in a bucket of their own.

It must not give access to data: it says what querying through it takes, and policies say of what.
"""

from aws_cdk import Aws, aws_athena, aws_iam, aws_kms
from constructs import Construct, IConstruct

from building_blocks.acknowledgement import acknowledge, cited
from building_blocks.arns import arn_of
from building_blocks.encryption_key import key_use
from building_blocks.lake_bucket import AccessLogBucket, LakeBucket

RESULTS_PREFIX = "results/"

ENGINE = "Athena engine version 3"
"""Reads and writes Iceberg tables; named, so that AWS does not choose another."""


class AthenaWorkgroup(Construct):
    """The workgroup ``name``: a query ends at ``scan_limit_gigabytes``, its result goes after ``retention_days``."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        name: str,
        bucket_name: str,
        scan_limit_gigabytes: int,
        retention_days: int,
        access_log_retention_days: int,
        key: aws_kms.IKey,
        keep: bool,
    ) -> None:
        super().__init__(scope, id)
        self.name = name
        self._key = key
        access_logs = AccessLogBucket(self, "AccessLogs", retention_days=access_log_retention_days, keep=keep)
        self._results = LakeBucket(
            self,
            "Results",
            name=bucket_name,
            key=key,
            access_logs=access_logs,
            keep=keep,
            noncurrent_retention_days=1,
            retention_days=retention_days,
            expiring_prefixes=(RESULTS_PREFIX,),
        )
        group = aws_athena.CfnWorkGroup
        self.workgroup = group(
            self,
            "Workgroup",
            name=name,
            description="Queries of the lake by people without a cluster",
            recursive_delete_option=True,
            work_group_configuration=group.WorkGroupConfigurationProperty(
                enforce_work_group_configuration=True,
                publish_cloud_watch_metrics_enabled=True,
                requester_pays_enabled=False,
                bytes_scanned_cutoff_per_query=scan_limit_gigabytes * 1_000_000_000,
                engine_version=group.EngineVersionProperty(selected_engine_version=ENGINE),
                result_configuration=group.ResultConfigurationProperty(
                    output_location=f"s3://{self._results.bucket_name}/{RESULTS_PREFIX}",
                    expected_bucket_owner=Aws.ACCOUNT_ID,
                    encryption_configuration=group.EncryptionConfigurationProperty(
                        encryption_option="SSE_KMS", kms_key=key.key_arn
                    ),
                ),
            ),
        )

    def querying(self) -> list[aws_iam.PolicyStatement]:
        """What running queries in the workgroup and fetching their results takes; not what they read."""
        statement = aws_iam.PolicyStatement
        arn = arn_of("athena", f"workgroup/{self.name}")
        return [
            statement(
                actions=[
                    "athena:BatchGetQueryExecution",
                    "athena:GetQueryExecution",
                    "athena:GetQueryResults",
                    "athena:GetQueryResultsStream",
                    "athena:GetWorkGroup",
                    "athena:ListQueryExecutions",
                    "athena:StartQueryExecution",
                    "athena:StopQueryExecution",
                ],
                resources=[arn],
            ),
            statement(
                actions=["s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"],
                resources=[self._results.arn_for_objects(f"{RESULTS_PREFIX}*")],
            ),
            statement(actions=["s3:GetBucketLocation"], resources=[self._results.bucket_arn]),
            *key_use(key=self._key, service="s3", actions=["kms:Decrypt", "kms:GenerateDataKey"]),
        ]

    def acknowledge(self, holder: IConstruct) -> None:
        """Say of the wildcard of `querying` on the policy that holds it why it is right."""
        files = cited(holder, owner=self._results, arn=self._results.bucket_arn)
        acknowledge(
            holder,
            finding=f"AwsSolutions-IAM5[Resource::{files}/{RESULTS_PREFIX}*]",
            reason="Athena names the result of each query; the bucket holds nothing else, and for a few days only.",
        )
