"""A log group with a retention and a customer-managed key.

It must not hold data that anything depends on: it goes when its stack goes.
"""

from typing import cast

from aws_cdk import RemovalPolicy, aws_kms, aws_logs
from constructs import Construct


class LogGroup(aws_logs.LogGroup):
    """Encrypted log group ``name``, kept for ``retention_days`` (a value that CloudWatch Logs takes)."""

    def __init__(self, scope: Construct, id: str, *, name: str, key: aws_kms.IKey, retention_days: int) -> None:
        super().__init__(
            scope,
            id,
            log_group_name=name,
            encryption_key=key,
            removal_policy=RemovalPolicy.DESTROY,
        )
        cast("aws_logs.CfnLogGroup", self.node.default_child).retention_in_days = retention_days
