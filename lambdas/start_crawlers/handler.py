"""Entry point of the function that starts crawlers: one SQS batch in, partial failures out; no logic."""

from __future__ import annotations

import os
import time
from functools import cache
from typing import Any

from aws_lambda_powertools.logging import Logger
from aws_lambda_powertools.metrics import Metrics, MetricUnit

from lambdas.start_crawlers.connections import Connections, connect
from lambdas.start_crawlers.logic import start_crawlers
from lambdas.start_crawlers.settings import Settings

SETTINGS = Settings.from_environ(os.environ)
LOGGER = Logger(service=SETTINGS.powertools_service_name, level=SETTINGS.powertools_log_level)
METRICS = Metrics(namespace=SETTINGS.powertools_metrics_namespace, service=SETTINGS.powertools_service_name)


@cache
def _connections() -> Connections:
    return connect(SETTINGS)


@LOGGER.inject_lambda_context
@METRICS.log_metrics
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer one batch of the queue with the messages that have to come again ("Using Lambda with Amazon SQS" page)."""
    outcome = start_crawlers(
        event["Records"],
        **_connections()._asdict(),
        clock=time.time,
        remaining_seconds=lambda: context.get_remaining_time_in_millis() / 1000,
        settling_seconds=SETTINGS.settling_seconds,
        held_seconds=SETTINGS.held_seconds,
    )
    outcome.log_to(LOGGER)
    for name, count in outcome.counts.items():
        METRICS.add_metric(name=name, unit=MetricUnit.Count, value=count)
    return outcome.answer(event["Records"])
