"""The contract between Firehose and its function: the event that goes in, what must come out, what breaks it.

Rules: Amazon Data Firehose Developer Guide, "Transform source data", "Required parameters for data transformation",
"Handle failure in data transformation", and the Lambda invocation errors of "Monitor Amazon Data Firehose Using
CloudWatch Logs".
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rehearsal.engine.firehose.records import Failed, StreamRecord, Transformed

REQUEST_LIMIT_BYTES = 6_000_000
RESULTS = ("Ok", "Dropped", "ProcessingFailed")


@dataclass(frozen=True, kw_only=True)
class Problem:
    """Why a whole batch failed; ``retry`` when Firehose asks the function again."""

    code: str
    message: str
    retry: bool = True


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a function made of a batch."""

    passed: Sequence[Transformed]
    failed: Sequence[Failed]
    dropped: int


def event(
    records: Sequence[StreamRecord], *, invocation_id: str, stream_arn: str, source_arn: str, region: str
) -> bytes:
    """The event of one invocation, as JSON."""
    return json.dumps(
        {
            "invocationId": invocation_id,
            "sourceKinesisStreamArn": source_arn,
            "deliveryStreamArn": stream_arn,
            "region": region,
            "records": [_event_record(record) for record in records],
        }
    ).encode()


def _event_record(record: StreamRecord) -> dict[str, Any]:
    arrival = int(record.arrival.timestamp() * 1000)
    return {
        "recordId": record.record_id,
        "approximateArrivalTimestamp": arrival,
        "data": base64.b64encode(record.data).decode(),
        "kinesisRecordMetadata": {
            "sequenceNumber": record.sequence_number,
            "subsequenceNumber": record.subsequence,
            "partitionKey": record.partition_key,
            "shardId": record.shard_id,
            "approximateArrivalTimestamp": arrival,
        },
    }


def event_size(record: StreamRecord) -> int:
    """About how many bytes a record takes in the event, base64 and metadata included."""
    return len(record.data) * 4 // 3 + len(record.partition_key) + 380


def read_answer(
    payload: bytes,
    records: Sequence[StreamRecord],
    *,
    lambda_arn: str,
    ended: datetime,
    needs_keys: bool,
    attempts: int,
) -> Answer | Problem:
    """What the function answered; a Problem when the answer as a whole breaks the contract."""
    try:
        answered = json.loads(payload)["records"]
        by_id = _by_id(answered)
    except (ValueError, KeyError, TypeError):
        return Problem(
            code="Lambda.JsonProcessingException",
            message="Failed to parse records returned from the Lambda function: not a JSON object with records.",
        )
    if isinstance(by_id, Problem):
        return by_id
    missing = [record.record_id for record in records if record.record_id not in by_id]
    if missing:
        return Problem(
            code="Lambda.MissingRecordId",
            message=f"{len(missing)} record ids are missing in the answer, the first is {missing[0]}",
        )
    passed: list[Transformed] = []
    failed: list[Failed] = []
    dropped = 0
    for record in records:
        result = by_id[record.record_id]
        status = result.get("result")
        if status == "Dropped":
            dropped += 1
            continue
        outcome = _one(record, result, needs_keys) if status == "Ok" else _failure(status)
        if isinstance(outcome, Transformed):
            passed.append(outcome)
        else:
            code, message = outcome
            failed.append(
                Failed(
                    kind="processing-failed",
                    record=record,
                    code=code,
                    message=message,
                    attempts=attempts,
                    ended=ended,
                    lambda_arn=lambda_arn,
                )
            )
    return Answer(passed=passed, failed=failed, dropped=dropped)


def _by_id(answered: Sequence[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]] | Problem:
    by_id: dict[str, Mapping[str, Any]] = {}
    for one in answered:
        record_id = one["recordId"]
        if record_id in by_id:
            return Problem(
                code="Lambda.DuplicatedRecordId",
                message=f"Multiple records were returned with the same record ID {record_id}.",
            )
        by_id[record_id] = one
    return by_id


def _failure(status: Any) -> tuple[str, str]:
    if status == "ProcessingFailed":
        return "Lambda.ProcessingFailedStatus", "ProcessingFailed status set for record"
    return "Lambda.InvalidStatus", f"result given {status!r}, allowed is one of {', '.join(RESULTS)}"


def _one(record: StreamRecord, result: Mapping[str, Any], needs_keys: bool) -> Transformed | tuple[str, str]:
    try:
        data = base64.b64decode(result["data"], validate=True)
    except (KeyError, TypeError, ValueError, binascii.Error):
        return "Lambda.JsonProcessingException", "data of the record is missing or is not base64"
    keys = (result.get("metadata") or {}).get("partitionKeys") or {}
    if needs_keys and not isinstance(keys, Mapping):
        return "DynamicPartitioning.MetadataExtractionFailed", "metadata.partitionKeys is not an object"
    return Transformed(data=data, arrival=record.arrival, keys=dict(keys), source=record)
