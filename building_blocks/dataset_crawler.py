"""The Glue crawler of one dataset, with the queue that tells it which files came and went.

It must not start itself: who starts it knows when its queue has heard of everything.
"""

import json

from aws_cdk import aws_glue, aws_iam, aws_kms, aws_s3, aws_sns, aws_sns_subscriptions
from constructs import Construct

from building_blocks.acknowledgement import acknowledge, cited
from building_blocks.alarms import Runbook
from building_blocks.arns import arn_of
from building_blocks.encryption_key import key_use
from building_blocks.glue_security import GlueSecurity
from building_blocks.queue_with_dead_letters import VISIBILITY_TIMEOUTS, QueueWithDeadLetters
from contracts.datasets import Dataset, Format

LOG_GROUPS = "/aws-glue/crawlers*"
"""What the names of crawlers' log groups begin with; Glue adds role and security configuration to the rest."""

QUEUE_READING_SECONDS = 150
"""How long a crawl may take to read its queue and take what it read out of it; six times that it has it to itself."""

HELD_SECONDS = VISIBILITY_TIMEOUTS * QUEUE_READING_SECONDS
"""How long a crawl that failed keeps what it had read from the next one: the visibility time-out of its queue."""

MAX_RECEIVES = 5
"""Crawls that may fail over one message before it moves to the dead-letter queue."""

# Actions on its own queue as on the page "Accelerating crawls using Amazon S3 event notifications".
_QUEUE_ACTIONS = [
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sqs:GetQueueUrl",
    "sqs:ListDeadLetterSourceQueues",
    "sqs:ListQueueTags",
    "sqs:PurgeQueue",
    "sqs:ReceiveMessage",
    "sqs:SetQueueAttributes",
]

_TABLE_ACTIONS = [
    "glue:BatchCreatePartition",
    "glue:BatchDeletePartition",
    "glue:BatchGetPartition",
    "glue:BatchUpdatePartition",
    "glue:CreateTable",
    "glue:GetDatabase",
    "glue:GetPartitions",
    "glue:GetTable",
    "glue:GetTables",
    "glue:UpdateTable",
]


class DatasetCrawler(Construct):
    """Crawler ``name`` over ``batch/<dataset>/``, in event mode, into the table (or tables) of the dataset.

    It takes the changes that its queue tells of and lists only their folders ("Accelerating crawls using Amazon S3
    event notifications" page); the first crawl, and the first after it was edited, list everything. New and changed
    columns update the table; a table whose files are all gone is marked deprecated and stays, because others read it.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        dataset: Dataset,
        name: str,
        bucket: aws_s3.IBucket,
        database_name: str,
        files_topic: aws_sns.ITopic,
        csv_classifier: aws_glue.CfnClassifier,
        security: GlueSecurity,
        key: aws_kms.IKey,
        keep: bool,
        wait_seconds: int,
        alarm_topic: aws_sns.ITopic,
    ) -> None:
        """Make crawler, queue and role; ``wait_seconds`` is how long a change may wait before an alarm is raised."""
        super().__init__(scope, id)
        self.arn = arn_of("glue", f"crawler/{name}")
        self.queue = QueueWithDeadLetters(
            self,
            "Changes",
            key=key,
            consumer_timeout_seconds=QUEUE_READING_SECONDS,
            batch_window_seconds=0,
            max_receives=MAX_RECEIVES,
            keep=keep,
            oldest_message_seconds=wait_seconds,
            alarm_topic=alarm_topic,
            runbook=Runbook.CRAWLER_IS_STUCK,
        )
        files_topic.add_subscription(
            aws_sns_subscriptions.SqsSubscription(
                self.queue.queue,
                raw_message_delivery=False,
                dead_letter_queue=self.queue.dead_letters,
                filter_policy_with_message_body=_files_below(dataset.prefix),
            )
        )
        role = self._role(dataset, bucket=bucket, database_name=database_name)
        crawler = aws_glue.CfnCrawler
        self.crawler = crawler(
            self,
            "Crawler",
            name=name,
            description=f"{dataset.description} Owner: {dataset.owner}.",
            role=role.role_arn,
            database_name=database_name,
            table_prefix=_table_prefix(dataset),
            targets=crawler.TargetsProperty(
                s3_targets=[
                    crawler.S3TargetProperty(
                        path=f"s3://{bucket.bucket_name}/{dataset.prefix}",
                        event_queue_arn=self.queue.queue.queue_arn,
                        dlq_event_queue_arn=self.queue.dead_letters.queue_arn,
                    )
                ]
            ),
            recrawl_policy=crawler.RecrawlPolicyProperty(recrawl_behavior="CRAWL_EVENT_MODE"),
            schema_change_policy=crawler.SchemaChangePolicyProperty(
                update_behavior="UPDATE_IN_DATABASE", delete_behavior="DEPRECATE_IN_DATABASE"
            ),
            configuration=_configuration(dataset),
            classifiers=[csv_classifier.ref] if dataset.format is Format.CSV else None,
            crawler_security_configuration=security.configuration.ref,
        )

    def _role(self, dataset: Dataset, *, bucket: aws_s3.IBucket, database_name: str) -> aws_iam.Role:
        statement = aws_iam.PolicyStatement
        tables = [arn_of("glue", f"table/{database_name}/{table}") for table in _tables(dataset)]
        statements = [
            statement(actions=_QUEUE_ACTIONS, resources=[self.queue.queue.queue_arn]),
            statement(actions=["sqs:GetQueueUrl"], resources=[self.queue.dead_letters.queue_arn]),
            *self.queue.dead_lettering(),
            statement(actions=["s3:GetObject"], resources=[bucket.arn_for_objects(f"{dataset.prefix}*")]),
            statement(actions=["s3:GetBucketLocation"], resources=[bucket.bucket_arn]),
            statement(
                actions=["s3:ListBucket"],
                resources=[bucket.bucket_arn],
                conditions={"StringLike": {"s3:prefix": [dataset.prefix.rstrip("/"), f"{dataset.prefix}*"]}},
            ),
            *key_use(key=bucket.encryption_key, service="s3", actions=["kms:Decrypt"]),
            statement(
                actions=_TABLE_ACTIONS,
                resources=[arn_of("glue", "catalog"), arn_of("glue", f"database/{database_name}"), *tables],
            ),
            statement(
                actions=["logs:AssociateKmsKey", "logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
                resources=[arn_of("logs", f"log-group:{LOG_GROUPS}")],
            ),
        ]
        role = aws_iam.Role(
            self,
            "Role",
            description=f"What the crawler of the dataset {dataset.name} may do",
            assumed_by=aws_iam.ServicePrincipal("glue.amazonaws.com"),
            inline_policies={"Crawling": aws_iam.PolicyDocument(statements=statements, minimize=True)},
        )
        files = cited(role, owner=bucket, arn=bucket.bucket_arn)
        database = cited(role, owner=bucket, arn=database_name)  # bucket and database have one home
        for resource, reason in (
            (f"{files}/{dataset.prefix}*", "The crawler reads every file that lands below this one prefix."),
            (
                arn_of("glue", f"table/{database}/{dataset.table_name}_*", nag=True),
                "Glue itself completes the names of tables: by the folder, or by a hash where files do not fit.",
            ),
            (
                arn_of("logs", f"log-group:{LOG_GROUPS}", nag=True),
                "Glue itself names log groups, after role and security configuration, and all crawlers log there.",
            ),
        ):
            acknowledge(role, finding=f"AwsSolutions-IAM5[Resource::{resource}]", reason=reason)
        return role


def _files_below(prefix: str) -> dict[str, aws_sns.FilterOrPolicy]:
    """A filter for notifications about objects below ``prefix`` ("Payload-based message filtering" of SNS pages)."""
    inner: aws_sns.FilterOrPolicy = aws_sns.FilterOrPolicy.filter(
        aws_sns.SubscriptionFilter.string_filter(match_prefixes=[prefix])
    )
    for name in ("key", "object", "s3"):
        inner = aws_sns.FilterOrPolicy.policy({name: inner})
    return {"Records": inner}


def _tables(dataset: Dataset) -> list[str]:
    """Names that the crawler may give its tables; a hash follows when files of one folder do not fit together."""
    further = f"{dataset.table_name}_*"
    return [further] if dataset.by_folder else [dataset.table_name, further]


def _table_prefix(dataset: Dataset) -> str:
    """What Glue puts before the name of a table's folder: the dataset's own folder, or each one below it."""
    return f"{dataset.table_name}_" if dataset.by_folder else dataset.table_name.removesuffix(dataset.name)


def _configuration(dataset: Dataset) -> str:
    """One table for each folder of the dataset's level, however its files differ; the bucket is level 1.

    Pages "Specifying the table location and partitioning level" and "Creating a single schema for each Amazon S3
    include path"; partitions take the table's columns, so that an engine reads old and new files alike.
    """
    level = 1 + dataset.prefix.count("/") + dataset.by_folder
    return json.dumps(
        {
            "Version": 1.0,
            "CrawlerOutput": {"Partitions": {"AddOrUpdateBehavior": "InheritFromTable"}},
            "Grouping": {"TableGroupingPolicy": "CombineCompatibleSchemas", "TableLevelConfiguration": level},
        }
    )
