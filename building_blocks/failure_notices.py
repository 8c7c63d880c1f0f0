"""Tells the alarm topic when a job or crawler ends badly, with what that means and which runbook to open.

It must not pass on what the failure says of itself: such a text may quote a value.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from aws_cdk import aws_events, aws_iam, aws_kms, aws_sns
from constructs import Construct

from building_blocks.acknowledgement import acknowledge
from building_blocks.alarms import Runbook
from building_blocks.encryption_key import key_use
from building_blocks.rule_principal import rules_of_stack


@dataclass(frozen=True, kw_only=True)
class Failure:
    """An event of EventBridge's default bus that tells how something of Glue's or EMR's ended.

    `source`, `detail_type` and the fields of its detail are as on the pages "Automating AWS Glue with EventBridge" and
    "Monitor Amazon EMR on EKS with Amazon CloudWatch Events", `states` those that are failures. `owner_field` holds
    what tells ours from others, `name_field` what a person knows it by.
    """

    what: str
    source: str
    detail_type: str
    owner_field: str
    name_field: str
    states: tuple[str, ...]


JOB_FAILURE = Failure(
    what="Glue job",
    source="aws.glue",
    detail_type="Glue Job State Change",
    owner_field="jobName",
    name_field="jobName",
    states=("FAILED", "TIMEOUT", "ERROR"),
)

CRAWLER_FAILURE = Failure(
    what="Glue crawler",
    source="aws.glue",
    detail_type="Glue Crawler State Change",
    owner_field="crawlerName",
    name_field="crawlerName",
    states=("Failed",),
)

JOB_RUN_FAILURE = Failure(
    what="EMR job run",
    source="aws.emr-containers",
    detail_type="EMR Job Run State Change",
    owner_field="virtualClusterId",
    name_field="name",
    states=("FAILED",),
)


class FailureNotices(Construct):
    """A rule that turns each ``failure`` of one of ``owners`` into a notice on ``topic``.

    EventBridge publishes under a role that it may assume for this stack's rules only: it cannot satisfy
    `aws:SourceArn` or `aws:SourceAccount` in the policy of a key that encrypts a topic ("Managing Amazon SNS
    encryption keys" page), so that letting the service in there would let it in for every account.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        failure: Failure,
        owners: Sequence[str],
        meaning: str,
        runbook: Runbook,
        topic: aws_sns.ITopic,
        topic_key: aws_kms.IKey,
    ) -> None:
        """Make rule and role; ``meaning`` is a sentence that says what the failure does to whom."""
        super().__init__(scope, id)
        role = aws_iam.Role(
            self,
            "Role",
            description=f"Publishes failures of {failure.what}s on the alarm topic and does nothing else",
            assumed_by=rules_of_stack(self),
            inline_policies={
                "Publishing": aws_iam.PolicyDocument(
                    statements=[
                        aws_iam.PolicyStatement(actions=["sns:Publish"], resources=[topic.topic_arn]),
                        *key_use(key=topic_key, service="sns", actions=["kms:Decrypt", "kms:GenerateDataKey"]),
                    ]
                )
            },
        )
        rule = aws_events.CfnRule
        self.rule = rule(
            self,
            "Rule",
            description=f"{failure.what}s of the lake that ended badly",
            event_pattern={
                "source": [failure.source],
                "detail-type": [failure.detail_type],
                "detail": {failure.owner_field: list(owners), "state": list(failure.states)},
            },
            targets=[
                rule.TargetProperty(
                    id="AlarmTopic",
                    arn=topic.topic_arn,
                    role_arn=role.role_arn,
                    input_transformer=rule.InputTransformerProperty(
                        input_paths_map={
                            "name": f"$.detail.{failure.name_field}",
                            "state": "$.detail.state",
                            "time": "$.time",
                        },
                        input_template=(
                            f'"{failure.what} <name> ended as <state> at <time>. {meaning} '
                            f'Runbook: docs/runbooks/{runbook.value}"'
                        ),
                    ),
                )
            ],
        )
        acknowledge(
            self.rule,
            finding="Serverless-EventBusDLQ",
            reason="EventBridge tries for a day; a notice that it cannot deliver loses nothing, because the "
            "service keeps the run and how it ended.",
        )
