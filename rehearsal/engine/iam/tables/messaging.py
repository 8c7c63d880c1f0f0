"""Needs of SQS, SNS and EventBridge requests.

It must not model what these services do for a resource: whoever delivers asks as that service.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from rehearsal.engine.iam.model import Need
from rehearsal.engine.iam.scope import Parameters, Rule, Scope, anywhere, on, rules

_SEAL = ("kms:GenerateDataKey", "kms:Decrypt")
_UNSEAL = ("kms:Decrypt",)


def _queue(parameters: Parameters, scope: Scope) -> str:
    if "QueueUrl" not in parameters:
        return scope.arn("sqs", str(parameters["QueueName"]))
    account, name = urlsplit(str(parameters["QueueUrl"])).path.strip("/").split("/")[-2:]
    return f"arn:{scope.partition}:sqs:{scope.region}:{account}:{name}"


def _message(action: str, key_actions: Sequence[str]) -> Rule:
    # SQS guide, "Amazon SQS Key management": producers need GenerateDataKey and Decrypt (the data key is
    # reused), consumers Decrypt.
    def rule(parameters: Parameters, scope: Scope) -> Sequence[Need]:
        queue = _queue(parameters, scope)
        sealed = scope.key_needs(queue, via="sqs", actions=key_actions, encryption_context={"aws:sqs:arn": queue})
        return [Need(action=action, resource=queue), *sealed]

    return rule


def _start_move(parameters: Parameters, scope: Scope) -> Sequence[Need]:
    # SQS guide, "Configuring queue permissions" of dead-letter queue redrive: the caller reads one queue
    # and sends to the other with its own permissions.
    source, destination = str(parameters["SourceArn"]), parameters.get("DestinationArn")
    needs = [
        Need(action=f"sqs:{name}", resource=source)
        for name in ("StartMessageMoveTask", "ReceiveMessage", "DeleteMessage", "GetQueueAttributes")
    ]
    needs += scope.key_needs(source, via="sqs", actions=_UNSEAL, encryption_context={"aws:sqs:arn": source})
    if destination:
        target = str(destination)
        needs.append(Need(action="sqs:SendMessage", resource=target))
        needs += scope.key_needs(target, via="sqs", actions=_SEAL, encryption_context={"aws:sqs:arn": target})
    return needs


def _moved_queue(parameters: Parameters, _scope: Scope) -> str:
    if "SourceArn" in parameters:
        return str(parameters["SourceArn"])
    return str(json.loads(base64.b64decode(str(parameters["TaskHandle"])))["sourceArn"])


def _topic(parameters: Parameters, scope: Scope) -> str:
    for name in ("TopicArn", "TargetArn", "ResourceArn"):
        if name in parameters:
            return str(parameters[name])
    if "SubscriptionArn" in parameters:
        return str(parameters["SubscriptionArn"]).rsplit(":", 1)[0]
    return scope.arn("sns", str(parameters["Name"]))


def _publish(parameters: Parameters, scope: Scope) -> Sequence[Need]:
    # SNS guide, "Managing Amazon SNS encryption keys and costs": publishers need GenerateDataKey and Decrypt.
    if "PhoneNumber" in parameters:
        return [Need(action="sns:Publish", resource="*")]
    topic = _topic(parameters, scope)
    sealed = scope.key_needs(topic, via="sns", actions=_SEAL, encryption_context={"aws:sns:topicArn": topic})
    return [Need(action="sns:Publish", resource=topic), *sealed]


def _subscribe(parameters: Parameters, scope: Scope) -> Sequence[Need]:
    context = {f"sns:{name}": str(parameters[name]) for name in ("Protocol", "Endpoint") if name in parameters}
    return [Need(action="sns:Subscribe", resource=_topic(parameters, scope), context=context)]


def _bus(parameters: Parameters, scope: Scope) -> str:
    return scope.arn("events", f"event-bus/{parameters.get('EventBusName') or 'default'}")


def _put_events(parameters: Parameters, scope: Scope) -> Sequence[Need]:
    needs = []
    for entry in parameters["Entries"]:
        context = {
            key: str(entry[name])
            for key, name in (("events:detail-type", "DetailType"), ("events:source", "Source"))
            if name in entry
        }
        needs.append(Need(action="events:PutEvents", resource=_bus(entry, scope), context=context))
    return needs


def _event_rule(parameters: Parameters, scope: Scope) -> str:
    bus = str(parameters.get("EventBusName") or "default").rsplit("event-bus/", 1)[-1]
    name = parameters.get("Rule") or parameters["Name"]
    return scope.arn("events", f"rule/{name}" if bus == "default" else f"rule/{bus}/{name}")


TABLES: Mapping[str, Mapping[str, Rule]] = {
    "sqs": {
        "SendMessage": _message("sqs:SendMessage", _SEAL),
        "SendMessageBatch": _message("sqs:SendMessage", _SEAL),
        "ReceiveMessage": _message("sqs:ReceiveMessage", _UNSEAL),
        "DeleteMessageBatch": on("sqs:DeleteMessage", _queue),
        "ChangeMessageVisibilityBatch": on("sqs:ChangeMessageVisibility", _queue),
        **rules(
            "sqs",
            _queue,
            "AddPermission ChangeMessageVisibility CreateQueue DeleteMessage DeleteQueue GetQueueAttributes "
            "GetQueueUrl ListDeadLetterSourceQueues ListQueueTags PurgeQueue RemovePermission "
            "SetQueueAttributes TagQueue UntagQueue",
        ),
        "StartMessageMoveTask": _start_move,
        **rules("sqs", _moved_queue, "CancelMessageMoveTask ListMessageMoveTasks"),
        "ListQueues": anywhere("sqs:ListQueues"),
    },
    "sns": {
        "Publish": _publish,
        "PublishBatch": _publish,
        "Subscribe": _subscribe,
        **rules(
            "sns",
            _topic,
            "AddPermission ConfirmSubscription CreateTopic DeleteTopic GetSubscriptionAttributes "
            "GetTopicAttributes ListSubscriptionsByTopic ListTagsForResource RemovePermission "
            "SetSubscriptionAttributes SetTopicAttributes TagResource Unsubscribe UntagResource",
        ),
        **{name: anywhere(f"sns:{name}") for name in ("ListTopics", "ListSubscriptions")},
    },
    "events": {
        "PutEvents": _put_events,
        **rules(
            "events",
            _event_rule,
            "DeleteRule DescribeRule DisableRule EnableRule ListTargetsByRule PutRule PutTargets RemoveTargets",
        ),
    },
}
