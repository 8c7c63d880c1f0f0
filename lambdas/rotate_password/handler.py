"""Entry point of Secrets Manager's rotation function: one step in, nothing out but an error; no logic."""

from __future__ import annotations

import os
import time
import traceback
from functools import cache
from typing import Any

from aws_lambda_powertools.logging import Logger
from aws_lambda_powertools.metrics import Metrics, MetricUnit

from lambdas.rotate_password.connections import Connections, connect
from lambdas.rotate_password.errors import RotationError
from lambdas.rotate_password.logic import Outcome, take_step
from lambdas.rotate_password.settings import METRIC_SECONDS_WITHOUT_LOGIN, METRIC_STEPS_FAILED, Settings

SETTINGS = Settings.from_environ(os.environ)
LOGGER = Logger(service=SETTINGS.powertools_service_name, level=SETTINGS.powertools_log_level)
METRICS = Metrics(namespace=SETTINGS.powertools_metrics_namespace, service=SETTINGS.powertools_service_name)


@cache
def _connections() -> Connections:
    return connect(SETTINGS)


@LOGGER.inject_lambda_context
@METRICS.log_metrics
def handler(event: dict[str, Any], _context: Any) -> None:
    """Take one step of a rotation; an error has Secrets Manager try it again.

    Raises:
        RotationError: the step was not taken; whatever went wrong, in words that hold no password.
    """
    fields = {"secret": event.get("SecretId"), "step": event.get("Step"), "version": event.get("ClientRequestToken")}
    try:
        outcome = take_step(event, **_connections()._asdict(), clock=time.time)
        failure = None
    except RotationError as error:
        failure = error
    except Exception as error:
        # Its own text and the chain behind it may quote a value.
        place = traceback.extract_tb(error.__traceback__)[-1]
        failure = RotationError(f"The step failed by {type(error).__name__} at {place.filename}:{place.lineno}.")
    if failure is not None:
        outcome = Outcome("The step was not taken.")
        outcome.counts[METRIC_STEPS_FAILED] += 1
        LOGGER.error(str(failure), extra=fields)
    else:
        LOGGER.info(outcome.did, extra=fields)
    for name, count in outcome.counts.items():
        METRICS.add_metric(name=name, unit=MetricUnit.Count, value=count)
    if outcome.seconds_without_login is not None:
        METRICS.add_metric(
            name=METRIC_SECONDS_WITHOUT_LOGIN, unit=MetricUnit.Seconds, value=outcome.seconds_without_login
        )
    if failure is not None:
        raise failure
