"""A customer-managed KMS key whose policy delegates to IAM and lets in named services only.

It must not be handed to a service without a condition that ties it to the resource it acts for.
"""

from collections.abc import Mapping, Sequence

from aws_cdk import Aws, Duration, aws_iam, aws_kms
from constructs import Construct

from building_blocks.arns import arn_of
from building_blocks.retention import removal_policy


class EncryptionKey(aws_kms.Key):
    """A symmetric key, rotated every year, deleted no sooner than 30 days after it is asked for.

    Principals of the account get access through their own policies (the key policy's root statement delegates
    to IAM: "Default key policy" page), so that no consumer needs to change the key's policy. Services that act
    on their own (`sns.amazonaws.com`) are let in by `allow_service`.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        description: str,
        alias: str,
        keep: bool,
        log_group_prefix: str | None = None,
    ) -> None:
        """Make the key; with ``log_group_prefix``, CloudWatch Logs may use it for log groups of that prefix."""
        super().__init__(
            scope,
            id,
            description=description,
            alias=alias,
            enable_key_rotation=True,
            rotation_period=Duration.days(365),
            pending_window=Duration.days(30),
            removal_policy=removal_policy(keep=keep),
        )
        if log_group_prefix is not None:
            self.allow_logs(f"{log_group_prefix}/*")

    def allow_service(self, service: str, *, conditions: Mapping[str, Mapping[str, object]]) -> None:
        """Let ``service`` encrypt and decrypt with the key under ``conditions`` (which must not be empty)."""
        self.add_to_resource_policy(
            aws_iam.PolicyStatement(
                principals=[aws_iam.ServicePrincipal(service)],
                actions=["kms:Decrypt", "kms:GenerateDataKey"],
                resources=["*"],
                conditions=conditions,
            )
        )

    def allow_logs(self, names: str) -> None:
        """Let CloudWatch Logs use the key for log groups of these ``names`` (`*` stands for any text).

        As the page "Encrypt log data in CloudWatch Logs using AWS KMS" asks, its action wildcards spelt out.
        """
        log_groups = arn_of("logs", f"log-group:{names}")
        self.add_to_resource_policy(
            aws_iam.PolicyStatement(
                principals=[aws_iam.ServicePrincipal(f"logs.{Aws.REGION}.amazonaws.com")],
                actions=[
                    "kms:Decrypt",
                    "kms:DescribeKey",
                    "kms:Encrypt",
                    "kms:GenerateDataKey",
                    "kms:GenerateDataKeyWithoutPlaintext",
                    "kms:ReEncryptFrom",
                    "kms:ReEncryptTo",
                ],
                resources=["*"],
                conditions={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": log_groups}},
            )
        )

    def allow_spot_disks(self) -> None:
        """Let EC2 Spot put disks under the key on instances that it starts for this account.

        It does so as its own service-linked role, which a condition names: as a principal it would have to be there
        before the key ("Specifying a customer managed key for Spot" of the EC2 guide's page on service-linked roles).
        """
        spot = "role/aws-service-role/spot.amazonaws.com/AWSServiceRoleForEC2Spot"
        who = {
            "aws:PrincipalArn": f"arn:{Aws.PARTITION}:iam::{Aws.ACCOUNT_ID}:{spot}",
            "kms:ViaService": f"ec2.{Aws.REGION}.amazonaws.com",
        }
        for actions, more in (
            (["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKeyWithoutPlaintext"], {}),
            (["kms:CreateGrant"], {"Bool": {"kms:GrantIsForAWSResource": "true"}}),
        ):
            self.add_to_resource_policy(
                aws_iam.PolicyStatement(
                    principals=[aws_iam.AnyPrincipal()],
                    actions=actions,
                    resources=["*"],
                    conditions={"StringEquals": who, **more},
                )
            )


def key_use(*, key: aws_kms.IKey | None, service: str, actions: Sequence[str]) -> list[aws_iam.PolicyStatement]:
    """What a principal needs to use ``key`` through ``service`` (`s3`, `kinesis` …) and in no other way.

    None stands for a resource without a key of its own and gives no statement (`kms:ViaService`: "AWS KMS
    condition keys" page).
    """
    if key is None:
        return []
    return [
        aws_iam.PolicyStatement(
            actions=list(actions),
            resources=[key.key_arn],
            conditions={"StringEquals": {"kms:ViaService": f"{service}.{Aws.REGION}.amazonaws.com"}},
        )
    ]
