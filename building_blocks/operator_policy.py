"""What the commands of `operations` need of the lake: failed records, the notes of replays, and what is deployed.

It must not let an operator read what landed, or change anything but the notes of replays.
"""

from aws_cdk import Stack, aws_glue, aws_iam, aws_s3, aws_sns
from constructs import Construct

from building_blocks.acknowledgement import acknowledge, cited
from building_blocks.arns import arn_of
from building_blocks.encryption_key import key_use

FAILED_PREFIXES = ("quarantine/", "firehose-errors/")
"""Where failed records lie in the raw bucket."""

NOTES_PREFIX = "operations/"
"""Where replays note what is back, and who put it back."""


class OperatorPolicy(aws_iam.ManagedPolicy):
    """The lake's share; the stacks whose queues and stream an operator uses have policies for those."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        bucket: aws_s3.IBucket,
        database: aws_glue.CfnDatabase,
        alarm_topic: aws_sns.ITopic,
        stack_name_prefix: str,
    ) -> None:
        """Make the policy over the raw ``bucket``, its database, and stacks whose names begin with the prefix."""
        statement = aws_iam.PolicyStatement
        prefixes = (*FAILED_PREFIXES, NOTES_PREFIX)
        stacks = f"stack/{stack_name_prefix}*/*"
        super().__init__(
            scope,
            id,
            description="Explains failed records, notes what a replay put back, checks what is deployed",
            statements=[
                statement(actions=["s3:ListBucket"], resources=[bucket.bucket_arn]),
                statement(
                    actions=["s3:GetObject"], resources=[bucket.arn_for_objects(f"{prefix}*") for prefix in prefixes]
                ),
                statement(actions=["s3:PutObject"], resources=[bucket.arn_for_objects(f"{NOTES_PREFIX}*")]),
                *key_use(key=bucket.encryption_key, service="s3", actions=["kms:Decrypt", "kms:GenerateDataKey"]),
                statement(
                    actions=["glue:GetTables"],
                    resources=[
                        arn_of("glue", part)
                        for part in ("catalog", f"database/{database.ref}", f"table/{database.ref}/*")
                    ],
                ),
                statement(actions=["cloudformation:DescribeStacks"], resources=[arn_of("cloudformation", stacks)]),
                statement(actions=["sns:GetTopicAttributes"], resources=[alarm_topic.topic_arn]),
                statement(
                    actions=[
                        "cloudwatch:DescribeAlarms",
                        "cloudwatch:GetMetricData",
                        "cloudwatch:GetMetricStatistics",
                    ],
                    resources=["*"],
                ),
            ],
        )
        files = cited(self, owner=bucket, arn=bucket.bucket_arn)
        for prefix in prefixes:
            acknowledge(
                self,
                finding=f"AwsSolutions-IAM5[Resource::{files}/{prefix}*]",
                reason=f"Firehose and replays name the objects below {prefix} of this one bucket.",
            )
        tables = f"table/<{Stack.of(self).get_logical_id(database)}>/*"
        acknowledge(
            self,
            finding=f"AwsSolutions-IAM5[Resource::{arn_of('glue', tables, nag=True)}]",
            reason="A check compares all tables of the raw database with their contracts, those to come among them.",
        )
        acknowledge(
            self,
            finding=f"AwsSolutions-IAM5[Resource::{arn_of('cloudformation', stacks, nag=True)}]",
            reason="The commands find the stage by the outputs of its stacks; CloudFormation completes their ARNs.",
        )
        acknowledge(
            self,
            finding="AwsSolutions-IAM5[Resource::*]",
            reason="Alarms are listed and metrics read by calls that know no resource of their own.",
        )
