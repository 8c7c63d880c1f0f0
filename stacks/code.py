"""The code bucket: what jobs and Airflow run, each version of the jobs below the hash of its sources.

It must not know who runs the code.
"""

import tempfile
from pathlib import Path

from aws_cdk import Aws, CfnOutput, Stack, aws_iam, aws_s3_assets
from constructs import Construct

from building_blocks.airflow_environment import log_group_names
from building_blocks.airflow_files import CANARY_PREFIX
from building_blocks.encryption_key import EncryptionKey, key_use
from building_blocks.job_package import (
    EMR_SCRIPT,
    GLUE_SCRIPT,
    PACKAGES_FILE,
    POINTER_KEY,
    PREFIX,
    JobCode,
    code_hash,
    lay_out,
)
from building_blocks.lake_bucket import AccessLogBucket, LakeBucket
from building_blocks.publisher import Pointer, PublishedFile, Publisher
from config import naming
from config.model import Part, Stage
from stacks.seams import CodeSeam, DataLakeSeam, pin

REPLACED_RETENTION_DAYS = 365
"""For how long versions of what was replaced can be brought back: pointers, and files of DAGs."""


PROOF_RETENTION_DAYS = 90
"""For how long the canary's proofs are kept, the one thing here that expires: they are no code."""


class CodeStack(Stack):
    """A bucket that keeps every version of the jobs, and the pointer to the one that new runs take."""

    def __init__(self, scope: Construct, id: str, *, stage: Stage, keep_data: bool, data_lake: DataLakeSeam) -> None:
        """Make the stack for ``stage``; with ``keep_data`` the bucket and its key outlive it."""
        super().__init__(
            scope,
            id,
            stack_name=naming.stack_name(stage=stage, part=Part.CODE),
            description="Amp data platform: the code that jobs and Airflow run",
            tags=dict(stage.tags),
            termination_protection=keep_data,
        )
        log_prefix = naming.log_group_prefix(stage=stage, part=Part.CODE)
        key = EncryptionKey(
            self,
            "CodeKey",
            description="Code of jobs and of Airflow, and the logs of what publishes it",
            alias=naming.key_alias(stage=stage, purpose="code"),
            keep=keep_data,
            log_group_prefix=log_prefix,
        )
        # MWAA takes one key for its logs and for the bucket that it reads.
        key.allow_logs(log_group_names(naming.airflow_environment_name(stage=stage)))
        access_logs = AccessLogBucket(
            self, "AccessLogs", retention_days=stage.data_lake.access_log_retention_days, keep=keep_data
        )
        bucket = LakeBucket(
            self,
            "Code",
            name=naming.bucket_name(stage=stage, zone="code", account=Aws.ACCOUNT_ID, region=Aws.REGION),
            key=key,
            access_logs=access_logs,
            keep=keep_data,
            noncurrent_retention_days=REPLACED_RETENTION_DAYS,
            retention_days=PROOF_RETENTION_DAYS,
            expiring_prefixes=(CANARY_PREFIX,),
        )
        hash = code_hash()
        with tempfile.TemporaryDirectory() as scratch:
            lay_out(target=Path(scratch))
            packages = aws_s3_assets.Asset(self, "Packages", path=scratch)
        assets = {
            "GlueScript": (GLUE_SCRIPT.name, aws_s3_assets.Asset(self, "GlueScript", path=str(GLUE_SCRIPT))),
            "EmrScript": (EMR_SCRIPT.name, aws_s3_assets.Asset(self, "EmrScript", path=str(EMR_SCRIPT))),
            "Packages": (PACKAGES_FILE, packages),
        }
        Publisher(
            self,
            "Jobs",
            bucket=bucket,
            files={
                name: PublishedFile(asset=asset, key=f"{PREFIX}{hash}/{file}") for name, (file, asset) in assets.items()
            },
            pointer=Pointer(key=POINTER_KEY, hash=hash),
            log_group_name=f"{log_prefix}/publish-jobs",
            log_retention_days=stage.operations.log_retention_days,
            log_level=stage.operations.log_level,
            key=key,
            alarm_topic=data_lake.alarm_topic,
        )
        self.seam = CodeSeam(bucket=bucket, key=key, jobs=JobCode(bucket=bucket, hash=hash))
        pin(self, bucket.bucket_name, bucket.bucket_arn, key.key_arn)
        CfnOutput(self, "BucketName", value=bucket.bucket_name)
        CfnOutput(self, "JobHash", value=hash)
        CfnOutput(self, "OperatorPolicyArn", value=self._operator_policy(bucket, key).managed_policy_arn)

    def _operator_policy(self, bucket: LakeBucket, key: EncryptionKey) -> aws_iam.ManagedPolicy:
        """For `python -m operations code`: see which code there is and ever was current, and move the pointer."""
        statement, pointer = aws_iam.PolicyStatement, bucket.arn_for_objects(POINTER_KEY)
        return aws_iam.ManagedPolicy(
            self,
            "OperatorPolicy",
            description="Sees which code of jobs there is, and says which new runs take",
            statements=[
                statement(
                    actions=["s3:ListBucket", "s3:ListBucketVersions"],
                    resources=[bucket.bucket_arn],
                    conditions={"StringEquals": {"s3:prefix": [PREFIX, POINTER_KEY]}},
                ),
                statement(actions=["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"], resources=[pointer]),
                *key_use(key=key, service="s3", actions=["kms:Decrypt", "kms:GenerateDataKey"]),
            ],
        )
