"""Publishes a stack's assets in the code bucket: a function of ours behind a custom resource.

It must not publish what changes without a deployment, nor be able to read or write anything but what it is told here.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from aws_cdk import Aws, CustomResource, Duration, aws_iam, aws_kms, aws_s3, aws_s3_assets, aws_sns
from constructs import Construct

from building_blocks.acknowledgement import acknowledge, cited
from building_blocks.encryption_key import key_use
from building_blocks.python_function import PythonFunction

TYPE = "Custom::PublishedCode"

TIMEOUT_SECONDS = 300
"""Time-out of the function: some hundred small objects, and a minute for IAM."""

MEMORY_MEBIBYTES = 512

ANSWER_SECONDS = 3 * TIMEOUT_SECONDS + 300
"""How long CloudFormation waits: Lambda calls a function that died twice again, after a minute and after two."""


@dataclass(frozen=True, kw_only=True)
class PublishedFile:
    """An asset that is copied once to ``key``, which must change when its content does."""

    asset: aws_s3_assets.Asset
    key: str


@dataclass(frozen=True, kw_only=True)
class PublishedFolder:
    """A zip asset whose files are all that lies below ``prefix``, which ends with a slash."""

    asset: aws_s3_assets.Asset
    prefix: str


@dataclass(frozen=True, kw_only=True)
class Pointer:
    """The object at ``key`` that is moved to ``hash`` when the hash that is deployed changes."""

    key: str
    hash: str


class Publisher(Construct):
    """The function with exactly the rights that this publication takes, and the resource that calls it.

    A stack that publishes has one of its own: its role names the stack's assets, which another stack cannot know.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        bucket: aws_s3.IBucket,
        files: Mapping[str, PublishedFile],
        folders: Mapping[str, PublishedFolder] | None = None,
        pointer: Pointer | None = None,
        log_group_name: str,
        log_retention_days: int,
        log_level: str,
        key: aws_kms.IKey,
        alarm_topic: aws_sns.ITopic,
    ) -> None:
        """Publish ``files`` and ``folders`` (by name) in ``bucket``, then move ``pointer``."""
        super().__init__(scope, id)
        self._files, self._folders, self._pointer, self._bucket = files, folders or {}, pointer, bucket
        assets = [*(each.asset for each in files.values()), *(each.asset for each in self._folders.values())]
        publishing = PythonFunction(
            self,
            "Publishing",
            name="publish_code",
            description="Copies what a deployment brought into the code bucket",
            environment={"ASSET_BUCKET": assets[0].s3_bucket_name, "CODE_BUCKET": bucket.bucket_name},
            permissions=self._permissions(assets),
            memory_mebibytes=MEMORY_MEBIBYTES,
            timeout_seconds=TIMEOUT_SECONDS,
            log_group_name=log_group_name,
            log_retention_days=log_retention_days,
            log_level=log_level,
            key=key,
            alarm_topic=alarm_topic,
        )
        for folder in self._folders.values():
            acknowledge(
                publishing.role,
                finding=f"AwsSolutions-IAM5[Resource::{cited(publishing.role, owner=bucket, arn=bucket.bucket_arn)}"
                f"/{folder.prefix}*]",
                reason="The files below this one prefix come and go with the folder that is published there.",
            )
        prefixes = {
            name: {"Asset": each.asset.s3_object_key, "Prefix": each.prefix} for name, each in self._folders.items()
        }
        self.resource = CustomResource(
            self,
            "Published",
            service_token=publishing.function.function_arn,
            resource_type=TYPE,
            service_timeout=Duration.seconds(ANSWER_SECONDS),
            properties={
                "Files": {name: {"Asset": each.asset.s3_object_key, "Key": each.key} for name, each in files.items()},
                **({"Folders": prefixes} if prefixes else {}),
                **({} if pointer is None else {"Pointer": {"Key": pointer.key, "Hash": pointer.hash}}),
            },
        )

    def version_of(self, name: str) -> str:
        """The object version of the file of that name."""
        return self.resource.get_att_string(f"{name}Version")

    def _permissions(self, assets: list[aws_s3_assets.Asset]) -> list[aws_iam.PolicyStatement]:
        """Nothing for a key of the assets: that of their bucket lets every principal of the account decrypt by S3."""
        statement, bucket = aws_iam.PolicyStatement, self._bucket
        read = [f"arn:{Aws.PARTITION}:s3:::{each.s3_bucket_name}/{each.s3_object_key}" for each in assets]
        pointers = [] if self._pointer is None else [bucket.arn_for_objects(self._pointer.key)]
        copies = [bucket.arn_for_objects(each.key) for each in self._files.values()]
        below = [bucket.arn_for_objects(f"{each.prefix}*") for each in self._folders.values()]
        permissions = [
            # Copies too: what is there already is asked for its version.
            statement(actions=["s3:GetObject"], resources=[*read, *copies, *pointers]),
            statement(actions=["s3:PutObject"], resources=[*copies, *pointers, *below]),
            *key_use(key=bucket.encryption_key, service="s3", actions=["kms:Decrypt", "kms:GenerateDataKey"]),
        ]
        if below:
            permissions += [
                statement(actions=["s3:DeleteObject"], resources=below),
                statement(
                    actions=["s3:ListBucket"],
                    resources=[bucket.bucket_arn],
                    conditions={"StringEquals": {"s3:prefix": [each.prefix for each in self._folders.values()]}},
                ),
            ]
        return permissions
