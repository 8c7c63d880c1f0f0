"""What functions, people and operators may do with the secrets of a warehouse's users; the functions make them.

It must not let anybody but the rotation function and a secret's own user read a value.
"""

from collections.abc import Sequence

from aws_cdk import aws_iam, aws_kms
from constructs import IConstruct

from building_blocks.acknowledgement import acknowledge
from building_blocks.arns import arn_of
from building_blocks.encryption_key import key_use
from contracts.warehouse.secrets import TAG_USER

OWN_STATEMENTS = {"StringEquals": {"redshift-data:statement-owner-iam-userid": "${aws:userid}"}}
"""Holds calls about statements, which know no resource, to those of the caller."""


class UserSecrets:
    """The secrets whose names begin with one of ``prefixes``, under ``key``."""

    def __init__(self, *, prefixes: Sequence[str], key: aws_kms.IKey) -> None:
        self._prefixes, self._key = list(prefixes), key

    def keeping(self) -> list[aws_iam.PolicyStatement]:
        """Making secrets without a password, deleting them recoverably and having them rotated; not reading them.

        Who has a secret rotated needs to be able to call the rotation function too ("RotateSecret" API page).
        """
        return [
            self._on(
                "secretsmanager:CreateSecret",
                "secretsmanager:DeleteSecret",
                "secretsmanager:DescribeSecret",
                "secretsmanager:RestoreSecret",
                "secretsmanager:RotateSecret",
                "secretsmanager:TagResource",
            ),
            aws_iam.PolicyStatement(actions=["secretsmanager:ListSecrets"], resources=["*"]),
            *self._key_use("kms:Decrypt", "kms:GenerateDataKey"),
        ]

    def rotating(self) -> list[aws_iam.PolicyStatement]:
        """The calls of a rotation's four steps."""
        return [
            self._on(
                "secretsmanager:DescribeSecret",
                "secretsmanager:GetSecretValue",
                "secretsmanager:PutSecretValue",
                "secretsmanager:UpdateSecretVersionStage",
            ),
            aws_iam.PolicyStatement(actions=["secretsmanager:GetRandomPassword"], resources=["*"]),
            *self._key_use("kms:Decrypt", "kms:GenerateDataKey"),
        ]

    def looking_after(self) -> list[aws_iam.PolicyStatement]:
        """Seeing how a rotation stands, and asking for another."""
        return [self._on("secretsmanager:DescribeSecret", "secretsmanager:RotateSecret")]

    def reading_own(self) -> list[aws_iam.PolicyStatement]:
        """Reading the one secret that is tagged with the caller's own name, and no secret without that tag."""
        own = {"StringEquals": {f"secretsmanager:ResourceTag/{TAG_USER}": f"${{aws:PrincipalTag/{TAG_USER}}}"}}
        return [
            aws_iam.PolicyStatement(
                actions=["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"],
                resources=self._arns(),
                conditions=own,
            ),
            *self._key_use("kms:Decrypt"),
        ]

    def acknowledge(self, holder: IConstruct) -> None:
        """Say of the wildcards of any of these on ``holder`` why they are right."""
        for prefix in self._prefixes:
            acknowledge(
                holder,
                finding=f"AwsSolutions-IAM5[Resource::{_arn(prefix, nag=True)}]",
                reason="Users come and go without a deployment, and Secrets Manager ends each name with letters of "
                f"its own: all below {prefix} are users of this one cluster.",
            )

    def _on(self, *actions: str) -> aws_iam.PolicyStatement:
        return aws_iam.PolicyStatement(actions=list(actions), resources=self._arns())

    def _key_use(self, *actions: str) -> list[aws_iam.PolicyStatement]:
        return key_use(key=self._key, service="secretsmanager", actions=actions)

    def _arns(self) -> list[str]:
        return [_arn(prefix) for prefix in self._prefixes]


def _arn(prefix: str, *, nag: bool = False) -> str:
    """ARNs of all secrets of a prefix; with ``nag`` as cdk-nag writes it in a finding."""
    return arn_of("secretsmanager", f"secret:{prefix}*", nag=nag)
