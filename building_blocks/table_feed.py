"""Has a function called when items of a table change; what fails for good waits with the dead letters of its queue.

It must not pass on what an item holds: the stream tells keys.
"""

from aws_cdk import aws_lambda, aws_sqs
from constructs import Construct

from building_blocks.item_table import ItemTable

GATHER_SECONDS = 10
"""For how long changes are gathered: a person or a deployment writes many items at a time."""

BATCH_SIZE = 1_000

ATTEMPTS = 3
"""Attempts before a batch is given up; the schedule's next run finds the same changes."""


class TableFeed(Construct):
    """An event-source mapping from the stream of ``table`` to ``function``."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        table: ItemTable,
        function: aws_lambda.IFunction,
        failures: aws_sqs.IQueue,
    ) -> None:
        super().__init__(scope, id)
        mapping = aws_lambda.CfnEventSourceMapping
        # The L2 one would widen the role and the key's policy by itself; both say here what they allow.
        mapping(
            self,
            "Mapping",
            function_name=function.function_name,
            event_source_arn=table.table.table_stream_arn,
            starting_position="TRIM_HORIZON",
            batch_size=BATCH_SIZE,
            maximum_batching_window_in_seconds=GATHER_SECONDS,
            maximum_retry_attempts=ATTEMPTS - 1,
            function_response_types=["ReportBatchItemFailures"],
            destination_config=mapping.DestinationConfigProperty(
                on_failure=mapping.OnFailureProperty(destination=failures.queue_arn)
            ),
        )
