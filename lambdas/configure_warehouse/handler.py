"""Entry point of the function that configures warehouses: one invocation in, outcomes out; no logic."""

from __future__ import annotations

import os
from functools import cache
from typing import Any

from aws_lambda_powertools.logging import Logger
from aws_lambda_powertools.metrics import Metrics, MetricUnit

from lambdas.configure_warehouse.connections import Connections
from lambdas.configure_warehouse.invocation import Invocation
from lambdas.configure_warehouse.settings import Settings

SETTINGS = Settings.from_environ(os.environ)
LOGGER = Logger(service=SETTINGS.powertools_service_name, level=SETTINGS.powertools_log_level)
METRICS = Metrics(namespace=SETTINGS.powertools_metrics_namespace, service=SETTINGS.powertools_service_name)


@cache
def _connections() -> Connections:
    return Connections(SETTINGS)


@LOGGER.inject_lambda_context
@METRICS.log_metrics
def handler(event: dict[str, Any], context: Any) -> Any:
    """Answer a batch of the queue or of the table's stream, or a person's call, whose answer is the outcome."""
    invocation = Invocation(_connections(), remaining_seconds=lambda: context.get_remaining_time_in_millis() / 1000)
    try:
        return invocation.answer(event)
    finally:
        for outcome in invocation.outcomes:
            log = LOGGER.error if outcome.error else LOGGER.info
            log("configuration", extra={"cluster": outcome.cluster, "result": outcome.result, "error": outcome.error})
        for name, count in invocation.counts().items():
            METRICS.add_metric(name=name, unit=MetricUnit.Count, value=count)
