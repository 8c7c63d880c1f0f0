"""The secret under which persons' ids become keys in shared tables.

It must not be rotated or lost: every person would be a stranger to all that was written before.
"""

from string import ascii_lowercase

from aws_cdk import aws_kms, aws_secretsmanager
from constructs import Construct

from building_blocks.secret import Secret

HEX_DIGITS = 64
"""Length of the secret: 256 bits, the output of SHA-256; a longer HMAC key adds nothing (RFC 2104)."""


class PersonKeySecret(Secret):
    """64 hexadecimal digits, generated once for a stage and never shown by a template."""

    def __init__(self, scope: Construct, id: str, *, key: aws_kms.IKey, keep: bool) -> None:
        super().__init__(
            scope,
            id,
            description="Key of the HMAC that makes persons' ids into keys in shared tables",
            generate=aws_secretsmanager.CfnSecret.GenerateSecretStringProperty(
                password_length=HEX_DIGITS,
                exclude_characters=ascii_lowercase.replace("abcdef", ""),
                exclude_uppercase=True,
                exclude_punctuation=True,
                require_each_included_type=False,
            ),
            why_not_rotated="With another key every person gets other keys, and no row written before joins one "
            "written after; the secret is read by jobs alone and kept with the data.",
            key=key,
            keep=keep,
        )
