"""Kinesis data streams and consumers, with AWS's sequence numbers and limits in place of moto's."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from moto.kinesis.exceptions import RecordSizeExceedsLimit, TooManyRecords, TotalRecordsSizeExceedsLimit
from moto.kinesis.models import KinesisBackend, Record, Shard, Stream, kinesis_backends

from rehearsal.engine.account import Account
from rehearsal.engine.resources import Created, Declaration, ResourceType
from rehearsal.engine.services.kms import customer_key

# Amazon Kinesis Data Streams API Reference, PutRecords.
RECORDS_PER_PUT = 500
BYTES_PER_PUT = 10 * 1024 * 1024
THROTTLED = {
    "ErrorCode": "ProvisionedThroughputExceededException",
    "ErrorMessage": "Rate exceeded for shard in the stream",
}


@dataclass(kw_only=True)
class RefusedEntries:
    """How many entries of the coming PutRecords calls on a stream are refused, one by one."""

    remaining: int = 0


class Streams:
    """Looks into the streams without an API call, and holds what the scenario asked them to refuse."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self.refused: dict[str, RefusedEntries] = {}

    def stream(self, arn: str) -> Stream:
        """The stream with this ARN; KeyError when there is none."""
        region, account_id, name = arn.split(":")[3:6]
        return kinesis_backends[account_id][region].streams[name.removeprefix("stream/")]

    def last_sequence_numbers(self, arn: str) -> dict[str, int]:
        """The sequence number of the newest record of each shard that has one."""
        shards = self.stream(arn).shards.values()
        return {shard.shard_id: shard.get_max_sequence_number() for shard in shards if shard.records}

    def refuse(self, arn: str) -> bool:
        """Whether the next entry put to a stream is to be refused; counts it."""
        refused = self.refused.get(arn)
        if refused is None or refused.remaining <= 0:
            return False
        refused.remaining -= 1
        return True


def _sequence_number(shard: Shard, created: float) -> int:
    # 56 digits that grow within a shard and differ between shards, as AWS's do; moto counts 1, 2, 3 in each.
    count = len(shard.records) + 1
    return int(f"49{int(created):011d}{count:035d}{shard._shard_id:08d}")


def _put_record(shard: Shard, partition_key: str, data: str, explicit_hash_key: str) -> str:
    last = next(reversed(shard.records)) if shard.records else 0
    number = max(_sequence_number(shard, time.time()), last + 1)
    shard.records[number] = Record(partition_key, data, number, explicit_hash_key)
    return str(number)


def _last_sequence_number(shard: Shard) -> int:
    return next(reversed(shard.records)) if shard.records else 0


def _records_after(shard: Shard, last_sequence_id: str, limit: int | None) -> tuple[list[Record], int, int]:
    # Walks back from the newest record: a reader that keeps up costs what is new, not what the shard holds.
    last, newer = int(last_sequence_id), []
    for number in reversed(shard.records):
        if number <= last:
            break
        newer.append(shard.records[number])
    results = newer[::-1][:limit]
    if not results:
        return [], last, 0
    behind = newer[0].created_at - results[-1].created_at
    return results, results[-1].sequence_number, int(behind * 1000)


def _put_records(
    backend: KinesisBackend, streams: Streams, stream_arn: str, stream_name: str, records: list[dict[str, Any]]
) -> dict[str, Any]:
    stream = backend.describe_stream(stream_arn=stream_arn, stream_name=stream_name)
    if len(records) > RECORDS_PER_PUT:
        raise TooManyRecords
    limit = getattr(stream, "max_record_size_in_kib", None) or 1024
    sizes = [len(base64.b64decode(r.get("Data", ""))) + len(r.get("PartitionKey", "").encode()) for r in records]
    if sum(sizes) > BYTES_PER_PUT:
        raise TotalRecordsSizeExceedsLimit
    for position, size in enumerate(sizes, start=1):
        if size > limit * 1024:
            raise RecordSizeExceedsLimit(position=position)
    answers: list[dict[str, Any]] = []
    failed = 0
    for record in records:
        if streams.refuse(stream.arn):
            failed += 1
            answers.append({**THROTTLED, "ErrorMessage": f"{THROTTLED['ErrorMessage']} {stream.stream_name}"})
            continue
        number, shard_id = stream.put_record(record["PartitionKey"], record.get("ExplicitHashKey"), record["Data"])
        answers.append({"SequenceNumber": number, "ShardId": shard_id})
    answer: dict[str, Any] = {"FailedRecordCount": failed, "Records": answers}
    if stream.encryption_type == "KMS":
        answer["EncryptionType"] = "KMS"
    return answer


def attach(account: Account) -> Callable[[], None]:
    """Put AWS's numbers and limits in the place of moto's."""
    streams = Streams(account)
    account.register(streams)
    kept = (
        KinesisBackend.put_records,
        Shard.put_record,
        Shard.get_max_sequence_number,
        Shard.get_records,
    )

    def put_records(
        self: KinesisBackend, stream_arn: str, stream_name: str, records: list[dict[str, Any]]
    ) -> dict[str, Any]:
        return _put_records(self, streams, stream_arn, stream_name, records)

    KinesisBackend.put_records = put_records
    Shard.put_record = _put_record
    Shard.get_max_sequence_number = _last_sequence_number
    Shard.get_records = _records_after

    def undo() -> None:
        (
            KinesisBackend.put_records,
            Shard.put_record,
            Shard.get_max_sequence_number,
            Shard.get_records,
        ) = kept

    return undo


def _stream(account: Account, declaration: Declaration) -> Created:
    properties, client = declaration.properties, account.client("kinesis")
    name = declaration.name(properties.get("Name"), longest=128)
    arn = account.arn("kinesis", f"stream/{name}")
    mode = properties.get("StreamModeDetails", {"StreamMode": "PROVISIONED"})
    arguments: dict[str, Any] = {"StreamModeDetails": mode}
    if mode["StreamMode"] == "PROVISIONED":
        if "ShardCount" not in properties:
            raise declaration.fail("a provisioned stream needs ShardCount")
        arguments["ShardCount"] = int(properties["ShardCount"])
    client.create_stream(StreamName=name, **arguments)
    hours = int(properties.get("RetentionPeriodHours", 24))
    if hours != 24:
        client.increase_stream_retention_period(StreamName=name, RetentionPeriodHours=hours)
    if "StreamEncryption" in properties:
        encryption = properties["StreamEncryption"]
        client.start_stream_encryption(
            StreamName=name, EncryptionType=encryption["EncryptionType"], KeyId=encryption["KeyId"]
        )
        key = customer_key(account, encryption["KeyId"])
        if key is not None:
            account.encryption_keys[arn] = key
    if "MaxRecordSizeInKiB" in properties:
        account.service(Streams).stream(arn).max_record_size_in_kib = int(properties["MaxRecordSizeInKiB"])
    return Created(ref=name, arn=arn, attributes={"Arn": arn})


def _consumer(account: Account, declaration: Declaration) -> Created:
    properties = declaration.properties
    consumer = account.client("kinesis").register_stream_consumer(
        StreamARN=properties["StreamARN"], ConsumerName=properties["ConsumerName"]
    )["Consumer"]
    arn = consumer["ConsumerARN"]
    attributes = {
        "ConsumerARN": arn,
        "ConsumerName": consumer["ConsumerName"],
        "ConsumerStatus": "ACTIVE",
        "StreamARN": properties["StreamARN"],
    }
    return Created(ref=arn, arn=arn, attributes=attributes)


RESOURCE_TYPES = (
    ResourceType(
        name="AWS::Kinesis::Stream",
        create=_stream,
        honoured=(
            "MaxRecordSizeInKiB",
            "Name",
            "RetentionPeriodHours",
            "ShardCount",
            "StreamEncryption.EncryptionType",
            "StreamEncryption.KeyId",
            "StreamModeDetails.StreamMode",
        ),
        ignored={
            "DesiredShardLevelMetrics": "no alarm is evaluated in a rehearsal",
            "Tags": "no rule of the rehearsal reads a stream's tags",
        },
    ),
    ResourceType(name="AWS::Kinesis::StreamConsumer", create=_consumer, honoured=("ConsumerName", "StreamARN")),
)
