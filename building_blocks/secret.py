"""A secret string that Secrets Manager generates under our key, and what a role needs to read it.

It must not hold a value that anyone knows, nor be rotated by itself: whoever makes one says why not.
"""

from aws_cdk import aws_iam, aws_kms, aws_secretsmanager
from constructs import Construct

from building_blocks.acknowledgement import acknowledge
from building_blocks.encryption_key import key_use
from building_blocks.retention import removal_policy


class Secret(Construct):
    """A secret string under our key.

    The L2 construct would widen the key's policy for the whole account, which IAM policies here make needless.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        description: str,
        generate: aws_secretsmanager.CfnSecret.GenerateSecretStringProperty,
        why_not_rotated: str,
        key: aws_kms.IKey,
        keep: bool,
    ) -> None:
        """Make the secret; with ``keep`` it outlives its stack."""
        super().__init__(scope, id)
        self._key = key
        secret = aws_secretsmanager.CfnSecret(
            self, "Secret", description=description, kms_key_id=key.key_arn, generate_secret_string=generate
        )
        secret.apply_removal_policy(removal_policy(keep=keep))
        self.secret_arn: str = secret.ref
        acknowledge(secret, finding="AwsSolutions-SMG4", reason=why_not_rotated)

    def reading(self) -> list[aws_iam.PolicyStatement]:
        """What a role needs to read the secret's value."""
        return [
            aws_iam.PolicyStatement(actions=["secretsmanager:GetSecretValue"], resources=[self.secret_arn]),
            *key_use(key=self._key, service="secretsmanager", actions=["kms:Decrypt"]),
        ]
