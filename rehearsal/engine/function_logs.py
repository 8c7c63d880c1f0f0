"""Writes what a function printed to its log group as its role, and reads embedded metrics from it.

It must not run anything: lines come in after an invocation ended.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from rehearsal.engine import iam
from rehearsal.engine.account import Account
from rehearsal.engine.function_model import FunctionDefinition
from rehearsal.engine.records import Metric, Records
from rehearsal.engine.workers import WorkerResult

# Amazon CloudWatch Logs API Reference, PutLogEvents: 10,000 events and 1 MiB with 26 bytes for each event.
EVENTS_PER_CALL = 10_000
BYTES_PER_CALL = 1_048_576
BYTES_PER_EVENT = 26
EVENT_LIMIT_BYTES = BYTES_PER_CALL - BYTES_PER_EVENT


@dataclass(frozen=True)
class LogLine:
    """One line of output and when it was written, in virtual seconds since the epoch."""

    time: float
    text: str


class FunctionLogs:
    """The log writer that Lambda runs beside every function."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._streams: set[tuple[str, str]] = set()

    def write(
        self,
        definition: FunctionDefinition,
        stream: str,
        request_id: str,
        result: WorkerResult,
        lines: Sequence[LogLine],
    ) -> None:
        """Put the lines of one invocation, with the platform's own around them, and record their metrics.

        What the role may not do is recorded as refused, and the lines are lost, as in AWS.
        """
        now = self._account.clock.time()
        for line in lines:
            record_metrics(self._account.records, line)
        first = lines[0].time if lines else now
        version, duration = definition.version, f"{result.duration_ms:.2f} ms"
        if definition.log_format == "JSON":
            start = _platform("platform.start", first, {"requestId": request_id, "version": version})
            metrics = {"durationMs": round(result.duration_ms, 3), "memorySizeMB": definition.memory_mb}
            status = {"ok": "success", "timeout": "timeout"}.get(result.outcome, "error")
            report = {"requestId": request_id, "metrics": metrics, "status": status}
            end = [_platform("platform.report", now, report)]
        else:
            start = f"START RequestId: {request_id} Version: {version}"
            report_text = (
                f"REPORT RequestId: {request_id}\tDuration: {duration}\tMemory Size: {definition.memory_mb} MB"
            )
            end = [f"END RequestId: {request_id}", report_text]
        failed = [result.payload.decode("utf-8", "replace")] if result.outcome != "ok" else []
        texts = [LogLine(first, start), *lines, *(LogLine(now, text) for text in [*failed, *end])]
        try:
            self._put(definition, stream, texts)
        except (ClientError, iam.AccessDenied) as error:
            self._account.records.happened("log-lines-lost", definition.name, str(error), count=len(texts))

    def _put(self, definition: FunctionDefinition, stream: str, lines: Sequence[LogLine]) -> None:
        logs = self._account.client_as(
            "logs",
            definition.role_arn,
            acting="lambda.amazonaws.com",
            session=definition.name,
            source_arn=definition.arn,
        )
        group = definition.log_group
        if (group, stream) not in self._streams:
            try:
                logs.create_log_stream(logGroupName=group, logStreamName=stream)
            except logs.exceptions.ResourceNotFoundException:
                logs.create_log_group(logGroupName=group)
                logs.create_log_stream(logGroupName=group, logStreamName=stream)
            self._streams.add((group, stream))
        write_lines(logs, group, stream, lines)


def write_lines(logs: Any, group: str, stream: str, lines: Sequence[LogLine]) -> None:
    """Put lines to a log stream that exists, in as many calls as the API's limits ask for."""
    batch: list[dict[str, Any]] = []
    size = 0
    for line in lines:
        message = line.text.encode()[:EVENT_LIMIT_BYTES].decode("utf-8", "ignore") or " "
        cost = len(message.encode()) + BYTES_PER_EVENT
        if batch and (size + cost > BYTES_PER_CALL or len(batch) >= EVENTS_PER_CALL):
            logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=batch)
            batch, size = [], 0
        batch.append({"timestamp": int(line.time * 1000), "message": message})
        size += cost
    logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=batch)


def record_metrics(records: Records, line: LogLine) -> None:
    """Add the data points of a line in the embedded metric format (CloudWatch User Guide, page of that name)."""
    if '"_aws"' not in line.text:
        return
    try:
        document = json.loads(line.text)
        blocks = document["_aws"]["CloudWatchMetrics"]
        moment = datetime.fromtimestamp(document["_aws"].get("Timestamp", line.time * 1000) / 1000, UTC)
    except (ValueError, KeyError, TypeError):
        return
    for block in blocks:
        for definition in block.get("Metrics", []):
            values = document.get(definition["Name"], [])
            for dimensions in block.get("Dimensions") or [[]]:
                for value in values if isinstance(values, list) else [values]:
                    records.add(
                        Metric(
                            time=moment,
                            namespace=block["Namespace"],
                            name=definition["Name"],
                            dimensions={name: str(document.get(name, "")) for name in dimensions},
                            value=float(value),
                            unit=definition.get("Unit", "None"),
                        )
                    )


def _platform(kind: str, moment: float, record: dict[str, Any]) -> str:
    time = datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return json.dumps({"time": time, "type": kind, "record": record})
