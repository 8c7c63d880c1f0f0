"""Entry point of the show catalog's ingest function: one SQS batch in, partial failures out; no logic."""

from __future__ import annotations

import os
from functools import cache
from typing import Any

from aws_lambda_powertools.logging import Logger
from aws_lambda_powertools.metrics import Metrics, MetricUnit
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response

from lambdas.ingest_show_catalog.connections import Connections, connect
from lambdas.ingest_show_catalog.logic import ingest
from lambdas.ingest_show_catalog.settings import Settings

SETTINGS = Settings.from_environ(os.environ)
LOGGER = Logger(service=SETTINGS.powertools_service_name, level=SETTINGS.powertools_log_level)
METRICS = Metrics(namespace=SETTINGS.powertools_metrics_namespace, service=SETTINGS.powertools_service_name)
PROCESSOR = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)


@cache
def _connections() -> Connections:
    return connect(SETTINGS)


@LOGGER.inject_lambda_context
@METRICS.log_metrics
def handler(event: dict[str, Any], context: Any) -> Any:
    """Answer one batch of the queue with the messages that have to come again ("Using Lambda with Amazon SQS" page)."""
    outcome = ingest(
        event["Records"],
        **_connections()._asdict(),
        remaining_seconds=lambda: context.get_remaining_time_in_millis() / 1000,
        filtered_fields=SETTINGS.filtered_fields,
    )
    outcome.log_to(LOGGER)
    for name, count in outcome.counts.items():
        METRICS.add_metric(name=name, unit=MetricUnit.Count, value=count)
    return process_partial_response(event, lambda record: outcome.settle(record.message_id), PROCESSOR, context)
