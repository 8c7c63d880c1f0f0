"""Says of one finding of a judge, beside the resource it is about, why it is right as it is.

It must not silence a rule for a stack or a subtree: one construct, one exact finding, one reason.
"""

from aws_cdk import Acknowledgment, IResource, Stack, Validations
from constructs import IConstruct


def acknowledge(construct: IConstruct, *, finding: str, reason: str) -> None:
    """Accept ``finding`` (`AwsSolutions-IAM5[Resource::…]`, `Serverless-LambdaDLQ`) on ``construct`` alone."""
    Validations.of(construct).acknowledge(Acknowledgment(id=finding, reason=reason))


def cited(construct: IConstruct, *, owner: IResource, arn: str) -> str:
    """How cdk-nag writes the ``arn`` of ``owner`` in a finding on ``construct``.

    An attribute of the same stack is `<LogicalId.Arn>`; one of another stack is the name of its export.
    """
    stack, home = Stack.of(construct), Stack.of(owner)
    if stack.node.path == home.node.path:
        logical_id, attribute = stack.resolve(arn)["Fn::GetAtt"]
        return f"<{logical_id}.{attribute}>"
    return str(stack.resolve(home.export_value(arn))["Fn::ImportValue"])
