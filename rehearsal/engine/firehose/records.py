"""What travels through a delivery stream, and how a stream record is taken apart before the function sees it."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rehearsal.engine.firehose.aggregation import disaggregate
from rehearsal.engine.firehose.configuration import RECORDS_PER_AGGREGATE, DeliveryStream


@dataclass(frozen=True, kw_only=True, slots=True)
class StreamRecord:
    """One record, or one of the parts of a record, as it waits in front of the function."""

    record_id: str
    data: bytes
    arrival: datetime
    sequence_number: str
    subsequence: int
    partition_key: str
    shard_id: str

    @property
    def size(self) -> int:
        """Bytes that count towards a buffer."""
        return len(self.data)


@dataclass(frozen=True, kw_only=True, slots=True)
class Transformed:
    """One record on its way to S3, with the partition keys its function gave."""

    data: bytes
    arrival: datetime
    keys: Mapping[str, str]
    source: StreamRecord


@dataclass(frozen=True, kw_only=True, slots=True)
class Failed:
    """One record on its way to the error prefix ``kind``, with the reason that Firehose writes beside it."""

    kind: str
    record: StreamRecord
    code: str
    message: str
    attempts: int
    ended: datetime
    lambda_arn: str = ""

    def line(self) -> bytes:
        """The JSON line that Firehose writes (Developer Guide, "Handle failure in data transformation")."""
        envelope: dict[str, Any] = {
            "attemptsMade": self.attempts,
            "arrivalTimestamp": int(self.record.arrival.timestamp() * 1000),
            "errorCode": self.code,
            "errorMessage": self.message,
            "attemptEndingTimestamp": int(self.ended.timestamp() * 1000),
            "rawData": base64.b64encode(self.record.data).decode(),
        }
        if self.lambda_arn:
            envelope["lambdaArn"] = self.lambda_arn
        return json.dumps(envelope).encode() + b"\n"


def take_apart(record: Mapping[str, Any], shard_id: str, config: DeliveryStream) -> Iterator[StreamRecord | Failed]:
    """The records that a record of the stream carries: itself, or what de-aggregation makes of it.

    A producer library's aggregate is taken apart first, then what the template asks for. Past 500 parts the
    documentation says nothing; here the rest stays together in the last one.
    """
    index = 0
    for data, partition_key in disaggregate(record["Data"], record["PartitionKey"]):
        parts, problem = _parts(data, config)
        for position, part in enumerate(parts, start=1):
            one = StreamRecord(
                record_id=f"{record['SequenceNumber']}{index:06d}",
                data=part,
                arrival=record["ApproximateArrivalTimestamp"],
                sequence_number=record["SequenceNumber"],
                subsequence=index,
                partition_key=partition_key,
                shard_id=shard_id,
            )
            index += 1
            yield _unreadable(one, problem) if problem and position == len(parts) else one


def _unreadable(record: StreamRecord, problem: str) -> Failed:
    return Failed(
        kind="processing-failed",
        record=record,
        code="DynamicPartitioning.DeAggregationFailed",
        message=problem,
        attempts=1,
        ended=record.arrival,
    )


def _parts(data: bytes, config: DeliveryStream) -> tuple[list[bytes], str]:
    if config.deaggregation == "JSON":
        return _json_parts(data)
    if config.deaggregation != "DELIMITED" or not config.delimiter:
        return [data], ""
    parts = [part for part in data.split(config.delimiter) if part] or [b""]
    if len(parts) > RECORDS_PER_AGGREGATE:
        kept = RECORDS_PER_AGGREGATE - 1
        parts = [*parts[:kept], config.delimiter.join(parts[kept:])]
    return parts, ""


def _json_parts(data: bytes) -> tuple[list[bytes], str]:
    """The consecutive JSON objects of a record; what cannot be read is the last part, with the problem."""
    decoder = json.JSONDecoder()
    text = data.decode("utf-8", "surrogateescape")
    parts: list[bytes] = []
    position = 0
    while True:
        while position < len(text) and text[position].isspace():
            position += 1
        if position >= len(text) and parts:
            return parts, ""
        rest = text[position:].encode("utf-8", "surrogateescape")
        if len(parts) == RECORDS_PER_AGGREGATE - 1:
            return [*parts, rest], ""
        try:
            value, end = decoder.raw_decode(text, position)
        except ValueError as error:
            return [*parts, rest], f"the record is not JSON objects one after another: {error}"
        if not isinstance(value, dict):
            return [*parts, rest], "the record is not JSON objects one after another"
        parts.append(text[position:end].encode("utf-8", "surrogateescape"))
        position = end
