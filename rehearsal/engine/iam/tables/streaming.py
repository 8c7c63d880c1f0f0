"""Needs of Kinesis Data Streams and Firehose requests.

It must not know how a shard iterator is written: who gives the parameters puts the stream's ARN in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rehearsal.engine.iam.model import Need
from rehearsal.engine.iam.scope import Parameters, Rule, Scope, anywhere, rules


def _stream(parameters: Parameters, scope: Scope) -> str:
    given = parameters.get("StreamARN") or parameters.get("ConsumerARN") or parameters.get("ResourceARN")
    return str(given) if given else scope.arn("kinesis", f"stream/{parameters['StreamName']}")


def _consumer(parameters: Parameters, scope: Scope) -> str:
    if given := parameters.get("ConsumerARN"):
        return str(given)
    return f"{_stream(parameters, scope)}/consumer/{parameters['ConsumerName']}:0"


def _encrypted(name: str, key_action: str) -> Rule:
    # Streams guide, "Permissions to use user-generated KMS keys": producers need GenerateDataKey,
    # consumers Decrypt; the encryption context is the stream's ARN.
    def rule(parameters: Parameters, scope: Scope) -> Sequence[Need]:
        stream = _stream(parameters, scope).split("/consumer/")[0]
        sealed = scope.key_needs(
            stream, via="kinesis", actions=[key_action], encryption_context={"aws:kinesis:arn": stream}
        )
        return [Need(action=f"kinesis:{name}", resource=stream), *sealed]

    return rule


def _delivery_stream(parameters: Parameters, scope: Scope) -> str:
    return scope.arn("firehose", f"deliverystream/{parameters['DeliveryStreamName']}")


TABLES: Mapping[str, Mapping[str, Rule]] = {
    "kinesis": {
        **{name: _encrypted(name, "kms:GenerateDataKey") for name in ("PutRecord", "PutRecords")},
        "GetRecords": _encrypted("GetRecords", "kms:Decrypt"),
        **rules(
            "kinesis",
            _stream,
            "AddTagsToStream CreateStream DecreaseStreamRetentionPeriod DeleteStream DescribeStream "
            "DescribeStreamSummary GetShardIterator "
            "IncreaseStreamRetentionPeriod ListShards ListStreamConsumers ListTagsForStream MergeShards "
            "RegisterStreamConsumer RemoveTagsFromStream SplitShard StartStreamEncryption "
            "StopStreamEncryption GetResourcePolicy PutResourcePolicy "
            "DeleteResourcePolicy",
        ),
        **rules("kinesis", _consumer, "DescribeStreamConsumer DeregisterStreamConsumer SubscribeToShard"),
        **{name: anywhere(f"kinesis:{name}") for name in ("ListStreams", "DescribeLimits")},
    },
    # Firehose guide, "Data protection": with a customer managed key Firehose works through grants it
    # creates for itself, so those who put records need nothing on the key.
    "firehose": rules(
        "firehose",
        _delivery_stream,
        "PutRecord PutRecordBatch CreateDeliveryStream DeleteDeliveryStream DescribeDeliveryStream "
        "UpdateDestination TagDeliveryStream UntagDeliveryStream ListTagsForDeliveryStream "
        "StartDeliveryStreamEncryption StopDeliveryStreamEncryption",
    ),
}
