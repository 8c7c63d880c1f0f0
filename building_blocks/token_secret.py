"""A secret for a token that another service issues; an operator sets its value.

It must not hold a value that anyone knows: what is generated at first only marks that none was set.
"""

from aws_cdk import aws_iam, aws_kms, aws_secretsmanager
from constructs import Construct

from building_blocks.acknowledgement import acknowledge
from building_blocks.encryption_key import key_use
from building_blocks.retention import removal_policy


class TokenSecret(Construct):
    """A secret string under our key, random until an operator puts the token in.

    The L2 construct would widen the key's policy for the whole account, which IAM policies here make needless.
    """

    def __init__(self, scope: Construct, id: str, *, description: str, key: aws_kms.IKey, keep: bool) -> None:
        super().__init__(scope, id)
        self._key = key
        secret = aws_secretsmanager.CfnSecret(
            self,
            "Secret",
            description=f"{description} (random until an operator sets it)",
            kms_key_id=key.key_arn,
            generate_secret_string=aws_secretsmanager.CfnSecret.GenerateSecretStringProperty(
                password_length=32, exclude_punctuation=True
            ),
        )
        secret.apply_removal_policy(removal_policy(keep=keep))
        self.secret_arn: str = secret.ref
        acknowledge(
            secret,
            finding="AwsSolutions-SMG4",
            reason="The token is issued by the catalog service, which alone can change it; an operator puts the new "
            "one in when it does.",
        )

    def reading(self) -> list[aws_iam.PolicyStatement]:
        """What a role needs to read the token."""
        return [
            aws_iam.PolicyStatement(actions=["secretsmanager:GetSecretValue"], resources=[self.secret_arn]),
            *key_use(key=self._key, service="secretsmanager", actions=["kms:Decrypt"]),
        ]
