"""An SNS topic that speaks TLS only, is encrypted with our key, and takes messages from named services.

It must not let a service publish without a condition that names what it publishes about.
"""

from collections.abc import Mapping

from aws_cdk import aws_iam, aws_kms, aws_sns
from constructs import Construct, IDependable


class NoticeTopic(aws_sns.Topic):
    """Standard topic; publishers of this account need `sns:Publish` and the key in their own policies."""

    def __init__(self, scope: Construct, id: str, *, display_name: str, key: aws_kms.IKey) -> None:
        super().__init__(scope, id, display_name=display_name, master_key=key, enforce_ssl=True)

    def allow_service(self, service: str, *, conditions: Mapping[str, Mapping[str, object]]) -> IDependable:
        """Let ``service`` publish under ``conditions`` (which must not be empty).

        What is given back stands once the service may publish.
        """
        added = self.add_to_resource_policy(
            aws_iam.PolicyStatement(
                principals=[aws_iam.ServicePrincipal(service)],
                actions=["sns:Publish"],
                resources=[self.topic_arn],
                conditions=conditions,
            )
        )
        if added.policy_dependable is None:
            raise RuntimeError(f"{self.node.path}: the topic took no policy; a topic of this stack always does.")
        return added.policy_dependable
