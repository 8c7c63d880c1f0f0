"""What EC2 and AWS Health tell of instances that will go, on a queue that the autoscaler reads.

It must not pass on what Karpenter does not act on: a queue of every state change of an account costs and delays.
"""

from collections.abc import Mapping

from aws_cdk import Duration, aws_cloudwatch, aws_events, aws_iam, aws_kms, aws_sns, aws_sqs
from constructs import Construct

from building_blocks.acknowledgement import acknowledge
from building_blocks.alarms import Alarm, Runbook, metric
from building_blocks.encryption_key import key_use
from building_blocks.rule_principal import rules_of_stack

RETENTION_SECONDS = 300
"""A warning is of use for two minutes; what is older is gone before it misleads."""

OLDEST_SECONDS = 120
"""Age of a warning above which nobody reads them: a Spot instance is gone by then."""

RULES: Mapping[str, Mapping[str, object]] = {
    "SpotInterruption": {"source": ["aws.ec2"], "detail-type": ["EC2 Spot Instance Interruption Warning"]},
    "Rebalance": {"source": ["aws.ec2"], "detail-type": ["EC2 Instance Rebalance Recommendation"]},
    "StateChange": {
        "source": ["aws.ec2"],
        "detail-type": ["EC2 Instance State-change Notification"],
        "detail": {"state": ["stopping", "stopped", "shutting-down", "terminated"]},
    },
    "ScheduledChange": {
        "source": ["aws.health"],
        "detail-type": ["AWS Health Event"],
        "detail": {"service": ["EC2"], "eventTypeCategory": ["scheduledChange"]},
    },
    "CapacityReservation": {
        "source": ["aws.ec2"],
        "detail-type": ["EC2 Capacity Reservation Instance Interruption Warning"],
    },
}
"""The events that Karpenter parses, narrowed to the states, service and category that it acts on."""


class InterruptionQueue(Construct):
    """The queue, a rule for each kind of event, and an alarm for when nobody reads.

    The rules send under a role, because the service's name in the policy of the queue's key could not be held to them
    (as in `failure_notices`).
    """

    def __init__(
        self, scope: Construct, id: str, *, key: aws_kms.IKey, alarm_topic: aws_sns.ITopic, runbook: Runbook
    ) -> None:
        super().__init__(scope, id)
        self._key = key
        self.queue = aws_sqs.Queue(
            self,
            "Queue",
            encryption=aws_sqs.QueueEncryption.KMS,
            encryption_master_key=key,
            enforce_ssl=True,
            retention_period=Duration.seconds(RETENTION_SECONDS),
        )
        for finding in ("AwsSolutions-SQS3", "Serverless-SQSRedrivePolicy"):
            acknowledge(
                self.queue,
                finding=finding,
                reason="A warning that nobody read within five minutes is about an instance that is gone: there is "
                "nothing to put back.",
            )
        role = aws_iam.Role(
            self,
            "Role",
            description="Sends warnings about instances to the autoscaler's queue and does nothing else",
            assumed_by=rules_of_stack(self),
            inline_policies={
                "Sending": aws_iam.PolicyDocument(
                    statements=[
                        aws_iam.PolicyStatement(actions=["sqs:SendMessage"], resources=[self.queue.queue_arn]),
                        *key_use(key=key, service="sqs", actions=["kms:Decrypt", "kms:GenerateDataKey"]),
                    ]
                )
            },
        )
        for name, pattern in RULES.items():
            rule = aws_events.CfnRule(
                self,
                name,
                description=f"{name}: an instance will go, or went",
                event_pattern=pattern,
                targets=[
                    aws_events.CfnRule.TargetProperty(id="Queue", arn=self.queue.queue_arn, role_arn=role.role_arn)
                ],
            )
            acknowledge(
                rule,
                finding="Serverless-EventBusDLQ",
                reason="A warning that cannot be delivered at once is of no use later; Karpenter sees the node go.",
            )
        Alarm(
            self,
            "Unread",
            metric=self._oldest(),
            threshold=OLDEST_SECONDS,
            periods=2,
            meaning="Nobody reads warnings about instances: nodes go without notice, and none may come.",
            runbook=runbook,
            topic=alarm_topic,
        )

    def reading(self) -> list[aws_iam.PolicyStatement]:
        """What the autoscaler's role needs."""
        return [
            aws_iam.PolicyStatement(
                actions=["sqs:DeleteMessage", "sqs:GetQueueUrl", "sqs:ReceiveMessage"],
                resources=[self.queue.queue_arn],
            ),
            *key_use(key=self._key, service="sqs", actions=["kms:Decrypt"]),
        ]

    def _oldest(self) -> aws_cloudwatch.Metric:
        return metric(
            namespace="AWS/SQS",
            name="ApproximateAgeOfOldestMessage",
            dimensions={"QueueName": self.queue.queue_name},
            statistic="Maximum",
            period_seconds=60,
        )
