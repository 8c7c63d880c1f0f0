"""DynamoDB tables and what their streams hold. Who reads a stream is played by the event-source mappings."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC
from typing import Any

from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.dynamo_type import Item
from moto.dynamodb.models.table import StreamShard, Table

from rehearsal.engine.account import Account
from rehearsal.engine.resources import Created, Declaration, ResourceType
from rehearsal.engine.services.kms import customer_key

_ADD = StreamShard.add


class TableStreams:
    """Looks into the tables' streams without an API call. Sequence numbers are numbers here, texts in the API."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def exists(self, stream_arn: str) -> bool:
        """Whether this is the present stream of a table."""
        table = self._table(stream_arn)
        return table is not None and table.latest_stream_label == _label(stream_arn)

    def following(self, stream_arn: str) -> int:
        """The sequence number that the next record will have."""
        return self.first(stream_arn) + len(self._shard(stream_arn).items)

    def first(self, stream_arn: str) -> int:
        """The sequence number of the first record, written or not."""
        number: int = self._shard(stream_arn).starting_sequence_number
        return number

    def written(self, stream_arn: str, sequence_number: int) -> float | None:
        """When a record was written, in virtual seconds; None: there is no such record yet."""
        shard = self._shard(stream_arn)
        position = sequence_number - shard.starting_sequence_number
        if position >= len(shard.items):
            return None
        moment = shard.items[position].record["dynamodb"]["ApproximateCreationDateTime"]
        seconds: float = moment.replace(tzinfo=UTC).timestamp()
        return seconds

    def _table(self, stream_arn: str) -> Table | None:
        region, account_id = stream_arn.split(":")[3:5]
        return dynamodb_backends[account_id][region].tables.get(stream_arn.split("/")[1])

    def _shard(self, stream_arn: str) -> StreamShard:
        table = self._table(stream_arn)
        if table is None or table.stream_shard is None:
            raise KeyError(stream_arn)
        return table.stream_shard


def _label(stream_arn: str) -> str:
    return stream_arn.rsplit("/", 1)[-1]


def _add(shard: StreamShard, old: Item | None, new: Item | None) -> None:
    # DynamoDB guide, "Change data capture for DynamoDB Streams": a write that changes nothing makes no record.
    if old is not None and new is not None and old.to_json() == new.to_json():
        return
    before = shard.items[-1].record if shard.items else {}
    _ADD(shard, old, new)
    added = shard.items[-1].record
    added["eventVersion"], added["awsRegion"] = "1.1", shard.table.region_name
    # moto makes an item that an update finds missing, and then updates it: two records for one write.
    twice = before.get("eventName") == added["eventName"] == "INSERT"
    if twice and before["dynamodb"]["Keys"] == added["dynamodb"]["Keys"]:
        added["dynamodb"]["SequenceNumber"] = before["dynamodb"]["SequenceNumber"]
        del shard.items[-2]


def attach(account: Account) -> Callable[[], None]:
    """Make the view of the streams known, and let them hold the records that DynamoDB would write."""
    account.register(TableStreams(account))
    StreamShard.add = _add

    def undo() -> None:
        StreamShard.add = _ADD

    return undo


def _table(account: Account, declaration: Declaration) -> Created:
    properties, client = declaration.properties, account.client("dynamodb")
    name = declaration.name(properties.get("TableName"), longest=255)
    arguments: dict[str, Any] = {
        key: properties[key]
        for key in ("AttributeDefinitions", "DeletionProtectionEnabled", "KeySchema", "Tags")
        if key in properties
    }
    mode = properties.get("BillingMode", "PROVISIONED")
    if mode == "PROVISIONED":
        arguments["ProvisionedThroughput"] = {
            unit: int(number) for unit, number in properties["ProvisionedThroughput"].items()
        }
    if "StreamSpecification" in properties:
        arguments["StreamSpecification"] = {"StreamEnabled": True, **properties["StreamSpecification"]}
    encryption = properties.get("SSESpecification", {})
    key = _key(account, declaration, encryption)
    if key is not None:
        arguments["SSESpecification"] = {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": key}
    description = client.create_table(TableName=name, BillingMode=mode, **arguments)["TableDescription"]
    recovery = properties.get("PointInTimeRecoverySpecification", {})
    if recovery.get("PointInTimeRecoveryEnabled"):
        client.update_continuous_backups(
            TableName=name, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
        )
    arn = description["TableArn"]
    if key is not None:
        account.encryption_keys[arn] = key
    attributes = {"Arn": arn}
    if "LatestStreamArn" in description:
        attributes["StreamArn"] = description["LatestStreamArn"]
    return Created(ref=name, arn=arn, attributes=attributes)


def _key(account: Account, declaration: Declaration, encryption: Any) -> str | None:
    if "KMSMasterKeyId" in encryption and not encryption["SSEEnabled"]:
        raise declaration.fail("SSESpecification names a key with SSEEnabled false; set it to true")
    return customer_key(account, encryption.get("KMSMasterKeyId"))


RESOURCE_TYPES = (
    ResourceType(
        name="AWS::DynamoDB::Table",
        create=_table,
        honoured=(
            "AttributeDefinitions",
            "BillingMode",
            "DeletionProtectionEnabled",
            "KeySchema",
            "PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled",
            "ProvisionedThroughput",
            "SSESpecification.KMSMasterKeyId",
            "SSESpecification.SSEEnabled",
            "SSESpecification.SSEType",
            "StreamSpecification.StreamViewType",
            "TableName",
            "Tags",
        ),
        ignored={
            "TimeToLiveSpecification": "an expired item may stay for days, so nothing may count on its end",
        },
    ),
)
