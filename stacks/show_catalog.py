"""From the announcement of a show change to an entry on the event stream: topic, queue, ingest function, token.

It must not know the catalog's data: the function and the contracts do.
"""

from aws_cdk import CfnOutput, CfnParameter, Stack, aws_iam, aws_sns, aws_sns_subscriptions
from constructs import Construct

from building_blocks.encryption_key import EncryptionKey, key_use
from building_blocks.event_stream import putting
from building_blocks.notice_topic import NoticeTopic
from building_blocks.python_function import PythonFunction
from building_blocks.queue_with_dead_letters import QueueWithDeadLetters
from building_blocks.token_secret import TokenSecret
from config import naming
from config.model import API_BASE_URL_PATTERN, Part, Stage
from stacks.seams import DataLakeSeam, EventStreamSeam

INGEST_SERVICE = "ingest-show-catalog"


class ShowCatalogStack(Stack):
    """Hears of show changes, asks the catalog service for each show, and puts what it says on the stream."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        stage: Stage,
        keep_data: bool,
        data_lake: DataLakeSeam,
        event_stream: EventStreamSeam,
    ) -> None:
        """Make the stack for ``stage``; with ``keep_data`` queues, token and key outlive it."""
        super().__init__(
            scope,
            id,
            stack_name=naming.stack_name(stage=stage, part=Part.SHOW_CATALOG),
            description="Amp data platform: show changes from their topic onto the event stream",
            tags=dict(stage.tags),
            termination_protection=keep_data,
        )
        settings, operations = stage.show_catalog, stage.operations
        log_prefix = naming.log_group_prefix(stage=stage, part=Part.SHOW_CATALOG)
        api_base_url = CfnParameter(
            self,
            "CatalogApiBaseUrl",
            default=settings.api_base_url,
            allowed_pattern=f"^({API_BASE_URL_PATTERN})$",
            constraint_description="HTTPS base URL without query or trailing slash; HTTP for 127.0.0.1 only",
            description="Base URL of the catalog service's API",
        )
        key = EncryptionKey(
            self,
            "CatalogKey",
            description="Show changes in queues, the catalog API's token, and the function's logs",
            alias=naming.key_alias(stage=stage, purpose="show-catalog"),
            keep=keep_data,
            log_group_prefix=log_prefix,
        )
        topic = self._topic(existing_arn=settings.existing_topic_arn, data_lake=data_lake)
        queue = QueueWithDeadLetters(
            self,
            "ShowChanges",
            key=key,
            consumer_timeout_seconds=settings.timeout_seconds,
            batch_window_seconds=settings.batch_window_seconds,
            max_receives=settings.max_receives,
            keep=keep_data,
            oldest_message_seconds=operations.oldest_message_seconds,
            alarm_topic=data_lake.alarm_topic,
        )
        topic.add_subscription(
            aws_sns_subscriptions.SqsSubscription(
                queue.queue, raw_message_delivery=False, dead_letter_queue=queue.dead_letters
            )
        )
        token = TokenSecret(
            self, "CatalogToken", description="Bearer token of the catalog API", key=key, keep=keep_data
        )
        environment = {
            "STREAM_NAME": event_stream.stream.stream_name,
            "CATALOG_BASE_URL": api_base_url.value_as_string,
            "CATALOG_TOKEN_SECRET_ARN": token.secret_arn,
            "DEAD_LETTER_QUEUE_URL": queue.dead_letters.queue_url,
            "POWERTOOLS_SERVICE_NAME": INGEST_SERVICE,
            "POWERTOOLS_METRICS_NAMESPACE": naming.metrics_namespace(stage=stage),
            "POWERTOOLS_LOG_LEVEL": operations.log_level,
        }
        if settings.filtered_fields:
            environment["FILTERED_FIELDS"] = ",".join(settings.filtered_fields)
        ingest = PythonFunction(
            self,
            "Ingest",
            name="ingest_show_catalog",
            description="Asks the catalog service for changed shows and puts them on the event stream",
            environment=environment,
            permissions=[
                *queue.consuming(),
                *queue.dead_lettering(),
                *putting(event_stream.stream),
                *token.reading(),
            ],
            memory_mebibytes=settings.memory_mebibytes,
            timeout_seconds=settings.timeout_seconds,
            log_group_name=f"{log_prefix}/ingest",
            log_retention_days=operations.log_retention_days,
            log_level=operations.log_level,
            key=key,
            alarm_topic=data_lake.alarm_topic,
        )
        queue.feed(
            function=ingest.function,
            batch_size=settings.batch_size,
            max_concurrency=settings.max_concurrency,
        )
        operator_policy = aws_iam.ManagedPolicy(
            self,
            "OperatorPolicy",
            description="Looks through dead letters of show changes and moves them back",
            statements=queue.redriving(),
        )
        for name, value in (
            ("ShowChangesTopicArn", topic.topic_arn),
            ("ShowChangesQueueUrl", queue.queue.queue_url),
            ("DeadLetterQueueUrl", queue.dead_letters.queue_url),
            ("CatalogTokenSecretArn", token.secret_arn),
            ("OperatorPolicyArn", operator_policy.managed_policy_arn),
        ):
            CfnOutput(self, name, value=value)

    def _topic(self, *, existing_arn: str | None, data_lake: DataLakeSeam) -> aws_sns.ITopic:
        """The topic that announces changes; one that exists must let this account subscribe."""
        if existing_arn is not None:
            return aws_sns.Topic.from_topic_arn(self, "ShowChangesTopic", existing_arn)
        topic = NoticeTopic(self, "ShowChangesTopic", display_name="Shows added or changed", key=data_lake.notices_key)
        self._publisher_policy(topic, data_lake=data_lake)
        return topic

    def _publisher_policy(self, topic: aws_sns.ITopic, *, data_lake: DataLakeSeam) -> None:
        policy = aws_iam.ManagedPolicy(
            self,
            "PublisherPolicy",
            description="Announces show changes and does nothing else",
            statements=[
                aws_iam.PolicyStatement(actions=["sns:Publish"], resources=[topic.topic_arn]),
                *key_use(key=data_lake.notices_key, service="sns", actions=["kms:Decrypt", "kms:GenerateDataKey"]),
            ],
        )
        CfnOutput(self, "PublisherPolicyArn", value=policy.managed_policy_arn)
