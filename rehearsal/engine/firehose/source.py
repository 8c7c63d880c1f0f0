"""Reads the Kinesis stream behind a delivery stream, as the role that the template names for it."""

from __future__ import annotations

from typing import Any

from rehearsal.engine.account import Account
from rehearsal.engine.firehose.configuration import DeliveryStream
from rehearsal.engine.services.kinesis import Streams

ACTING = "firehose.amazonaws.com"
RECORDS_PER_READ = 10_000
# Amazon Data Firehose Developer Guide, "Write to Firehose using Kinesis Data Streams": GetRecords once a second.
POLL_EVERY_S = 1.0


class Source:
    """The position in each shard; a delivery stream starts at the newest record (position LATEST)."""

    def __init__(self, account: Account, config: DeliveryStream) -> None:
        self._account, self._config = account, config
        self._iterators: dict[str, str] = {}
        self._read_up_to: dict[str, int] = dict(account.service(Streams).last_sequence_numbers(config.source_arn))
        self._polled = 0.0
        self._described = False

    def due(self) -> float | None:
        """When it is to be read next; None while every shard is read to its end."""
        last = self._account.service(Streams).last_sequence_numbers(self._config.source_arn)
        behind = any(number > self._read_up_to.get(shard, 0) for shard, number in last.items())
        return self._polled + POLL_EVERY_S if behind else None

    def read(self) -> list[tuple[str, dict[str, Any]]]:
        """What is new in every shard: shard id and record as the API gives it.

        Raises:
            botocore.exceptions.ClientError: the source role may not.
            rehearsal.engine.iam.AccessDenied: Firehose may not assume it.
        """
        client = self._account.client_as(
            "kinesis",
            self._config.source_role_arn,
            acting=ACTING,
            session=self._config.name[:64],
            source_arn=self._config.arn,
        )
        arn = self._config.source_arn
        self._polled = self._account.clock.time()
        if not self._described:
            client.describe_stream(StreamARN=arn)
            client.list_shards(StreamARN=arn)
            self._described = True
        found: list[tuple[str, dict[str, Any]]] = []
        for shard, newest in self._account.service(Streams).last_sequence_numbers(arn).items():
            if newest <= self._read_up_to.get(shard, 0):
                continue
            if shard not in self._iterators:
                position = self._read_up_to.get(shard)
                where: dict[str, str] = (
                    {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "StartingSequenceNumber": str(position)}
                    if position
                    else {"ShardIteratorType": "TRIM_HORIZON"}
                )
                self._iterators[shard] = client.get_shard_iterator(StreamARN=arn, ShardId=shard, **where)[
                    "ShardIterator"
                ]
            answer = client.get_records(StreamARN=arn, ShardIterator=self._iterators[shard], Limit=RECORDS_PER_READ)
            self._iterators[shard] = answer["NextShardIterator"]
            for record in answer["Records"]:
                found.append((shard, record))
                self._read_up_to[shard] = int(record["SequenceNumber"])
        return found
