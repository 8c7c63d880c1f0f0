"""From batch files to tables in the catalog, and from tables to whoever may read them: crawlers and reader roles.

It must not know what a dataset holds or what a table means: the contracts do.
"""

from collections.abc import Sequence

from aws_cdk import CfnOutput, Stack, aws_glue, aws_iam, aws_sns_subscriptions
from constructs import Construct

from building_blocks.alarms import Runbook
from building_blocks.crawl_alarms import CrawlAlarms
from building_blocks.dataset_crawler import HELD_SECONDS, LOG_GROUPS, DatasetCrawler
from building_blocks.encryption_key import EncryptionKey
from building_blocks.failure_notices import CRAWLER_FAILURE, FailureNotices
from building_blocks.glue_security import GlueSecurity
from building_blocks.lake_formation_grants import LakeFormationGrants
from building_blocks.python_function import PythonFunction
from building_blocks.queue_with_dead_letters import QueueWithDeadLetters
from building_blocks.reader_role import ReaderRole
from config import naming
from config.model import Part, Stage
from contracts.datasets import DATASETS
from contracts.lake import Zone
from stacks.seams import DataLakeSeam

START_SERVICE = "start-crawlers"

BATCH_SIZE = 1_000
"""Messages in a batch: at about 2 KB a notice in its envelope a third of what Lambda hands to one call (6 MB)."""

TIMEOUT_SECONDS = 60
"""Time-out of the function: two short calls for each dataset."""

MAX_CONCURRENCY = 2
"""Batches at once, the least that Lambda takes: more would ask the same few crawlers at the same time."""

MAX_RECEIVES = 120
"""Receipts before a message is given up: it comes back every quarter of an hour at last, so that it outlasts a crawl of
a day."""

MEMORY_MEBIBYTES = 256
"""Memory of the function: a batch is 2 MB of JSON."""


class CatalogStack(Stack):
    """Has each dataset crawled when its files change, and gives other teams read access by declaration."""

    def __init__(self, scope: Construct, id: str, *, stage: Stage, keep_data: bool, data_lake: DataLakeSeam) -> None:
        """Make the stack for ``stage``; with ``keep_data`` its queues and their key outlive it."""
        super().__init__(
            scope,
            id,
            stack_name=naming.stack_name(stage=stage, part=Part.CATALOG),
            description="Amp data platform: crawlers of batch files, and read access to the lake",
            tags=dict(stage.tags),
            termination_protection=keep_data,
        )
        self._stage, self._data_lake, self._keep = stage, data_lake, keep_data
        self._log_prefix = naming.log_group_prefix(stage=stage, part=Part.CATALOG)
        self._key = EncryptionKey(
            self,
            "CatalogKey",
            description="Notices of batch files in queues, logs of the crawlers and of the function that starts them",
            alias=naming.key_alias(stage=stage, purpose="catalog"),
            keep=keep_data,
            log_group_prefix=self._log_prefix,
        )
        self._key.allow_logs(LOG_GROUPS)
        crawlers = self._crawlers()
        queue = self._starting(crawlers)
        readers = self._readers()
        operator_policy = aws_iam.ManagedPolicy(
            self,
            "OperatorPolicy",
            description="Looks through dead letters of batch files and moves them back",
            statements=queue.redriving(),
        )
        for name, value in (
            ("BatchFilesQueueUrl", queue.queue.queue_url),
            ("DeadLetterQueueUrl", queue.dead_letters.queue_url),
            ("OperatorPolicyArn", operator_policy.managed_policy_arn),
            ("CrawlerNames", ",".join(naming.crawler_name(stage=stage, dataset=each.name) for each in DATASETS)),
        ):
            CfnOutput(self, name, value=value)
        if readers:
            CfnOutput(self, "ReaderRoleArns", value=",".join(reader.role.role_arn for reader in readers))

    def _crawlers(self) -> list[DatasetCrawler]:
        data_lake = self._data_lake
        security = GlueSecurity(
            self,
            "Security",
            name=naming.security_configuration_name(stage=self._stage, part=Part.CATALOG),
            log_key=self._key,
            data_key=None,
        )
        # Glue guesses a header by its types, and finds none in a file of text only.
        csv_classifier = aws_glue.CfnClassifier(
            self,
            "Csv",
            csv_classifier=aws_glue.CfnClassifier.CsvClassifierProperty(
                delimiter=",", quote_symbol='"', contains_header="PRESENT", allow_single_column=True
            ),
        )
        crawlers = [
            DatasetCrawler(
                self,
                "".join(["Crawler", *(word.title() for word in dataset.name.split("_"))]),
                dataset=dataset,
                name=naming.crawler_name(stage=self._stage, dataset=dataset.name),
                bucket=data_lake.raw_bucket,
                database_name=data_lake.raw_database_name,
                files_topic=data_lake.batch_files_topic,
                csv_classifier=csv_classifier,
                security=security,
                key=self._key,
                keep=self._keep,
                wait_seconds=self._stage.catalog.crawl_wait_seconds,
                alarm_topic=data_lake.alarm_topic,
            )
            for dataset in DATASETS
        ]
        FailureNotices(
            self,
            "Failures",
            failure=CRAWLER_FAILURE,
            owners=[naming.crawler_name(stage=self._stage, dataset=dataset.name) for dataset in DATASETS],
            meaning="Files of its dataset that changed since its last good crawl do not show in the catalog.",
            runbook=Runbook.CRAWLER_IS_STUCK,
            topic=data_lake.alarm_topic,
            topic_key=data_lake.notices_key,
        )
        return crawlers

    def _starting(self, crawlers: Sequence[DatasetCrawler]) -> QueueWithDeadLetters:
        """The queue of all notices, and the function that starts crawlers for them.

        It is another queue than those of the crawlers, which empty theirs themselves.
        """
        stage, data_lake = self._stage, self._data_lake
        settings, operations = stage.catalog, stage.operations
        queue = QueueWithDeadLetters(
            self,
            "BatchFiles",
            key=self._key,
            consumer_timeout_seconds=TIMEOUT_SECONDS,
            batch_window_seconds=settings.gather_seconds,
            max_receives=MAX_RECEIVES,
            keep=self._keep,
            oldest_message_seconds=settings.crawl_wait_seconds,
            alarm_topic=data_lake.alarm_topic,
            runbook=Runbook.CRAWLER_IS_STUCK,
        )
        data_lake.batch_files_topic.add_subscription(
            aws_sns_subscriptions.SqsSubscription(
                queue.queue, raw_message_delivery=False, dead_letter_queue=queue.dead_letters
            )
        )
        asking = aws_iam.PolicyStatement(
            actions=["glue:ListCrawls", "glue:StartCrawler"], resources=[crawler.arn for crawler in crawlers]
        )
        start = PythonFunction(
            self,
            "StartCrawlers",
            name="start_crawlers",
            description="Starts the crawlers of the datasets whose files changed, and waits for those that run",
            environment={
                "CRAWLER_NAME_PREFIX": naming.crawler_name_prefix(stage=stage),
                "QUEUE_URL": queue.queue.queue_url,
                "DEAD_LETTER_QUEUE_URL": queue.dead_letters.queue_url,
                "HELD_SECONDS": str(HELD_SECONDS),
                "POWERTOOLS_SERVICE_NAME": START_SERVICE,
                "POWERTOOLS_METRICS_NAMESPACE": naming.metrics_namespace(stage=stage),
                "POWERTOOLS_LOG_LEVEL": operations.log_level,
            },
            permissions=[*queue.consuming(), *queue.postponing(), *queue.dead_lettering(), asking],
            memory_mebibytes=MEMORY_MEBIBYTES,
            timeout_seconds=TIMEOUT_SECONDS,
            log_group_name=f"{self._log_prefix}/start-crawlers",
            log_retention_days=operations.log_retention_days,
            log_level=operations.log_level,
            key=self._key,
            alarm_topic=data_lake.alarm_topic,
        )
        queue.feed(function=start.function, batch_size=BATCH_SIZE, max_concurrency=MAX_CONCURRENCY)
        CrawlAlarms(
            self,
            "CrawlAlarms",
            metrics_namespace=naming.metrics_namespace(stage=stage),
            service=START_SERVICE,
            alarm_topic=data_lake.alarm_topic,
        )
        return queue

    def _readers(self) -> list[ReaderRole]:
        data_lake, settings = self._data_lake, self._stage.catalog
        databases = {
            Zone.TRANSFORMED: data_lake.transformed_database_name,
            Zone.PERSONAL: data_lake.personal_database_name,
        }
        readers = [
            ReaderRole(
                self,
                f"Reader-{grant.name}",
                grant=grant,
                name=naming.reader_role_name(stage=self._stage, grant=grant.name),
                bucket=data_lake.transformed_bucket,
                databases=databases,
                notices=data_lake.readers_topic,
            )
            for grant in settings.grants
        ]
        if settings.lake_formation:
            LakeFormationGrants(
                self, "LakeFormation", bucket=data_lake.transformed_bucket, databases=databases, readers=readers
            )
        return readers
