"""Who EventBridge is when it acts for the rules of one stack."""

from __future__ import annotations

from aws_cdk import Aws, Stack, aws_iam
from constructs import Construct

from building_blocks.arns import arn_of


def rules_of_stack(scope: Construct) -> aws_iam.ServicePrincipal:
    """EventBridge for the rules of the stack of ``scope`` alone ("Cross-service confused deputy prevention" page)."""
    return aws_iam.ServicePrincipal(
        "events.amazonaws.com",
        conditions={
            # CloudFormation names a rule after its stack.
            "ArnLike": {"aws:SourceArn": arn_of("events", f"rule/{Stack.of(scope).stack_name}-*")},
            "StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID},
        },
    )
