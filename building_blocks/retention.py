"""The one translation of "keep the data" into CloudFormation's deletion policies.

It must not decide whether data are kept: the stage and the context flag do.
"""

from aws_cdk import RemovalPolicy


def removal_policy(*, keep: bool) -> RemovalPolicy:
    """Kept data outlive the stack and a replacement; a failed first creation is cleaned up all the same."""
    return RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE if keep else RemovalPolicy.DESTROY
