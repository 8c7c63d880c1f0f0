"""An SQS queue that a function consumes, with its dead-letter queue and the alarms of both.

It must not let a message vanish: what fails too often, or cannot be delivered, waits in the dead-letter queue.
"""

from aws_cdk import Duration, aws_cloudwatch, aws_iam, aws_kms, aws_lambda, aws_sns, aws_sqs
from constructs import Construct

from building_blocks.acknowledgement import acknowledge
from building_blocks.alarms import Alarm, Runbook, metric
from building_blocks.encryption_key import key_use
from building_blocks.retention import removal_policy

VISIBILITY_TIMEOUTS = 6
"""A queue's visibility time-out in time-outs of its function ("Using Lambda with Amazon SQS" page)."""

LARGEST_BATCH_WITHOUT_WINDOW = 10
"""Messages in a batch above which Lambda asks for a batching window (same page)."""


class QueueWithDeadLetters(Construct):
    """A queue and its dead-letter queue, both encrypted with our key and open to TLS only.

    Messages live 4 days in the queue and 14 in the dead-letter queue: the clock of a redriven message does not
    start again, so the second must be the longer one ("Using dead-letter queues" page).
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        key: aws_kms.IKey,
        consumer_timeout_seconds: int,
        batch_window_seconds: int,
        max_receives: int,
        keep: bool,
        oldest_message_seconds: int,
        alarm_topic: aws_sns.ITopic,
        runbook: Runbook | None = None,
    ) -> None:
        """Make both queues for a consumer with that time-out and batching window (seconds).

        ``runbook`` is for both alarms, where the consumer has one of its own.
        """
        super().__init__(scope, id)
        self._key = key
        self._batch_window_seconds = batch_window_seconds
        self.dead_letters = aws_sqs.Queue(
            self,
            "DeadLetters",
            encryption=aws_sqs.QueueEncryption.KMS,
            encryption_master_key=key,
            data_key_reuse=Duration.minutes(5),
            enforce_ssl=True,
            retention_period=Duration.days(14),
            removal_policy=removal_policy(keep=keep),
        )
        acknowledge(
            self.dead_letters,
            finding="Serverless-SQSRedrivePolicy",
            reason="This is the dead-letter queue itself; an alarm tells of every message in it.",
        )
        self.queue = aws_sqs.Queue(
            self,
            "Queue",
            encryption=aws_sqs.QueueEncryption.KMS,
            encryption_master_key=key,
            data_key_reuse=Duration.minutes(5),
            enforce_ssl=True,
            retention_period=Duration.days(4),
            visibility_timeout=Duration.seconds(VISIBILITY_TIMEOUTS * consumer_timeout_seconds + batch_window_seconds),
            dead_letter_queue=aws_sqs.DeadLetterQueue(queue=self.dead_letters, max_receive_count=max_receives),
            removal_policy=removal_policy(keep=keep),
        )
        Alarm(
            self,
            "OldestMessage",
            metric=_queue_metric(self.queue, "ApproximateAgeOfOldestMessage"),
            threshold=oldest_message_seconds,
            meaning="Messages wait too long: their consumer is down, too slow, or fails and tries again.",
            runbook=runbook or Runbook.EVENTS_ARE_LATE,
            topic=alarm_topic,
        )
        Alarm(
            self,
            "DeadLetterDepth",
            metric=_queue_metric(self.dead_letters, "ApproximateNumberOfMessagesVisible"),
            threshold=0,
            meaning="Messages failed for good and wait in the dead-letter queue to be explained and redriven.",
            runbook=runbook or Runbook.DEAD_LETTERS,
            topic=alarm_topic,
        )

    def feed(
        self, *, function: aws_lambda.IFunction, batch_size: int, max_concurrency: int
    ) -> aws_lambda.EventSourceMapping:
        """Have ``function`` called with batches; messages that it reports as failed come back alone.

        Raises:
            ValueError: a batch over 10 messages without a batching window of at least a second.
        """
        if batch_size > LARGEST_BATCH_WITHOUT_WINDOW and self._batch_window_seconds < 1:
            raise ValueError(
                f"{self.node.path}: batches of more than {LARGEST_BATCH_WITHOUT_WINDOW} messages need a batching "
                f"window; given: batch_size={batch_size}, batch_window_seconds={self._batch_window_seconds}; "
                "allowed: a window of 1 to 300 s; fix: set batch_window_seconds to 1 or more."
            )
        mapping = aws_lambda.EventSourceMapping(
            self,
            "Mapping",
            target=function,
            event_source_arn=self.queue.queue_arn,
            batch_size=batch_size,
            max_batching_window=Duration.seconds(self._batch_window_seconds),
            max_concurrency=max_concurrency,
            report_batch_item_failures=True,
        )
        acknowledge(
            mapping,
            finding="Serverless-LambdaEventSourceMappingDestination",
            reason="Failed messages of a queue go to its dead-letter queue; an event-source mapping of SQS takes "
            "no destination of its own.",
        )
        return mapping

    def consuming(self) -> list[aws_iam.PolicyStatement]:
        """What a function's role needs to be fed ("Using Lambda with Amazon SQS" page)."""
        return [
            aws_iam.PolicyStatement(
                actions=["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"],
                resources=[self.queue.queue_arn],
            ),
            *key_use(key=self._key, service="sqs", actions=["kms:Decrypt"]),
        ]

    def postponing(self) -> list[aws_iam.PolicyStatement]:
        """What a consumer's role needs besides, to say itself when a message comes again."""
        return [aws_iam.PolicyStatement(actions=["sqs:ChangeMessageVisibility"], resources=[self.queue.queue_arn])]

    def sending(self) -> list[aws_iam.PolicyStatement]:
        """What a role needs to send to the queue."""
        return [
            aws_iam.PolicyStatement(actions=["sqs:SendMessage"], resources=[self.queue.queue_arn]),
            *key_use(key=self._key, service="sqs", actions=["kms:Decrypt", "kms:GenerateDataKey"]),
        ]

    def dead_lettering(self) -> list[aws_iam.PolicyStatement]:
        """What a role needs to send to the dead-letter queue itself."""
        return [
            aws_iam.PolicyStatement(actions=["sqs:SendMessage"], resources=[self.dead_letters.queue_arn]),
            *key_use(key=self._key, service="sqs", actions=["kms:Decrypt", "kms:GenerateDataKey"]),
        ]

    def redriving(self) -> list[aws_iam.PolicyStatement]:
        """What an operator needs to look through the dead-letter queue and to move its messages back.

        Message by message, or by SQS itself ("Configuring queue permissions" of its guide's page on redrives).
        """
        return [
            aws_iam.PolicyStatement(
                actions=[
                    "sqs:ChangeMessageVisibility",
                    "sqs:DeleteMessage",
                    "sqs:GetQueueAttributes",
                    "sqs:ListMessageMoveTasks",
                    "sqs:ReceiveMessage",
                    "sqs:StartMessageMoveTask",
                ],
                resources=[self.dead_letters.queue_arn],
            ),
            aws_iam.PolicyStatement(
                actions=["sqs:GetQueueAttributes", "sqs:SendMessage"], resources=[self.queue.queue_arn]
            ),
            *key_use(key=self._key, service="sqs", actions=["kms:Decrypt", "kms:GenerateDataKey"]),
        ]


def _queue_metric(queue: aws_sqs.IQueue, name: str) -> aws_cloudwatch.Metric:
    return metric(namespace="AWS/SQS", name=name, dimensions={"QueueName": queue.queue_name}, statistic="Maximum")
