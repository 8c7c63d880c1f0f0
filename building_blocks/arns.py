"""How the ARN of a resource is written where no construct of it is at hand."""

from __future__ import annotations

from aws_cdk import Aws


def arn_of(service: str, resource: str, *, nag: bool = False) -> str:
    """An ARN of this account and Region; with ``nag`` as cdk-nag writes it in a finding."""
    if nag:
        return f"arn:<AWS::Partition>:{service}:<AWS::Region>:<AWS::AccountId>:{resource}"
    return f"arn:{Aws.PARTITION}:{service}:{Aws.REGION}:{Aws.ACCOUNT_ID}:{resource}"
