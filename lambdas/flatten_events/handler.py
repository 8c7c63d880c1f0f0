"""Entry point of the flattening function: reads its environment, answers Firehose, emits metrics; no logic."""

from __future__ import annotations

import json
import os
import time
from functools import cache
from typing import Any

from lambdas.flatten_events.logic import Answer, PutBack, transform
from lambdas.flatten_events.reingestion import put_back
from lambdas.flatten_events.settings import METRIC_DIMENSION, METRIC_EVENTS, METRIC_QUARANTINED, Settings

SETTINGS = Settings.from_environ(os.environ)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer one transformation request of Amazon Data Firehose."""
    answer = transform(
        event["records"],
        put_back=_put_back(event.get("sourceKinesisStreamArn", ""), context),
        max_response_bytes=SETTINGS.max_response_bytes,
        max_reingestions=SETTINGS.max_reingestions,
    )
    print(_metrics_line(answer))  # noqa: T201 - a function's log is its standard output
    return {"records": answer.records}


@cache
def _kinesis() -> Any:
    # At first need: most requests put nothing back, and the import doubles a cold start.
    import boto3
    from botocore.config import Config

    # Short, because the default of 60 s for each wait and five attempts would outlive the invocation.
    config = Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 3})
    return boto3.client("kinesis", config=config)


def _put_back(stream_arn: str, context: Any) -> PutBack:
    if not stream_arn:
        return lambda records: [False for _ in records]
    return lambda records: put_back(
        records,
        stream_arn=stream_arn,
        kinesis=_kinesis(),
        remaining_seconds=lambda: context.get_remaining_time_in_millis() / 1000,
    )


def _metrics_line(answer: Answer) -> str:
    """The request's counts in CloudWatch's embedded metric format; the rates that alarm are always there."""
    counts = {METRIC_EVENTS: 0, METRIC_QUARANTINED: 0, **answer.metrics}
    definition = {
        "Namespace": SETTINGS.metrics_namespace,
        "Dimensions": [[METRIC_DIMENSION]],
        "Metrics": [{"Name": name, "Unit": "Count"} for name in counts],
    }
    line = {
        "_aws": {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [definition]},
        METRIC_DIMENSION: SETTINGS.service,
        **counts,
        "reasons": answer.reasons,
        "types": answer.types,
    }
    return json.dumps(line)
