"""A secret for a token that another service issues; an operator sets its value.

It must not hold a value that anyone knows: what is generated at first only marks that none was set.
"""

from aws_cdk import aws_kms, aws_secretsmanager
from constructs import Construct

from building_blocks.secret import Secret


class TokenSecret(Secret):
    """Random until an operator puts the token in."""

    def __init__(self, scope: Construct, id: str, *, description: str, key: aws_kms.IKey, keep: bool) -> None:
        super().__init__(
            scope,
            id,
            description=f"{description} (random until an operator sets it)",
            generate=aws_secretsmanager.CfnSecret.GenerateSecretStringProperty(
                password_length=32, exclude_punctuation=True
            ),
            why_not_rotated="The token is issued by the catalog service, which alone can change it; an operator puts "
            "the new one in when it does.",
            key=key,
            keep=keep,
        )
