"""Rules that send a fixed message to a queue: when a stack has been deployed, or on a schedule.

It must not pass on what an event says: the message is written here.
"""

import json
from collections.abc import Mapping

from aws_cdk import Aws, aws_events, aws_iam
from constructs import Construct

from building_blocks.acknowledgement import acknowledge
from building_blocks.queue_with_dead_letters import QueueWithDeadLetters
from building_blocks.rule_principal import rules_of_stack

DEPLOYED = ("CREATE_COMPLETE", "UPDATE_COMPLETE")
"""States of a stack whose resources are as its template says ("Stack status codes" page)."""


class QueueRules(Construct):
    """Rules of this stack that send to ``queue``, under a role that only they may assume.

    A role, because the service's own name in the policy of the queue's key could not be held to these rules (as in
    `failure_notices`).
    """

    def __init__(self, scope: Construct, id: str, *, queue: QueueWithDeadLetters) -> None:
        super().__init__(scope, id)
        self._queue = queue
        self._role = aws_iam.Role(
            self,
            "Role",
            description="Sends the messages of this stack's rules and does nothing else",
            assumed_by=rules_of_stack(self),
            inline_policies={"Sending": aws_iam.PolicyDocument(statements=queue.sending())},
        )

    def after_deployments(self, message: Mapping[str, str]) -> None:
        """Send ``message`` each time that this stack was created or updated ("Stack status change" event)."""
        self._rule(
            "Deployed",
            description="This stack was deployed",
            why="A deployment is made good by the next run of the schedule, which seeds nothing but finds all else; "
            "EventBridge tries for a day before it gives up.",
            message=message,
            event_pattern={
                "source": ["aws.cloudformation"],
                "detail-type": ["CloudFormation Stack Status Change"],
                "detail": {"stack-id": [Aws.STACK_ID], "status-details": {"status": list(DEPLOYED)}},
            },
        )

    def on_schedule(self, message: Mapping[str, str], *, expression: str) -> None:
        """Send ``message`` by ``expression``, such as `rate(1 hour)`."""
        self._rule(
            "Scheduled",
            description="The schedule of regular runs",
            why="The next run of the schedule makes up for one that could not be asked for.",
            message=message,
            schedule_expression=expression,
        )

    def _rule(
        self,
        id: str,
        *,
        description: str,
        why: str,
        message: Mapping[str, str],
        event_pattern: Mapping[str, object] | None = None,
        schedule_expression: str | None = None,
    ) -> None:
        rule = aws_events.CfnRule(
            self,
            id,
            description=description,
            event_pattern=event_pattern,
            schedule_expression=schedule_expression,
            targets=[
                aws_events.CfnRule.TargetProperty(
                    id="Queue",
                    arn=self._queue.queue.queue_arn,
                    role_arn=self._role.role_arn,
                    input=json.dumps(message),
                )
            ],
        )
        acknowledge(rule, finding="Serverless-EventBusDLQ", reason=why)
