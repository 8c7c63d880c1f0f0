"""SQS queues and their policies. Who reads a queue is played by the event-source mappings."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from typing import Any

from moto.core.utils import unix_time_millis
from moto.sqs.exceptions import InvalidParameterValue, ReceiptHandleIsInvalid
from moto.sqs.models import Message, Queue, SQSBackend, sqs_backends

from rehearsal.engine.account import Account
from rehearsal.engine.resources import Created, Declaration, ResourceType
from rehearsal.engine.services.kms import customer_key

_PLAIN_ATTRIBUTES = (
    "DelaySeconds",
    "KmsDataKeyReusePeriodSeconds",
    "KmsMasterKeyId",
    "MaximumMessageSize",
    "MessageRetentionPeriod",
    "ReceiveMessageWaitTimeSeconds",
    "SqsManagedSseEnabled",
    "VisibilityTimeout",
)

LONGEST_HIDDEN_S = 12 * 3600
"""From the receipt on ("ChangeMessageVisibility" page); moto counts from the moment at which a message was sent."""

_MARK_RECEIVED, _CHANGE_VISIBILITY = Message.mark_received, SQSBackend.change_message_visibility


class Queues:
    """Looks into the queues without an API call: what is there, and when the next message can be received."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self.redrive_allow: dict[str, Mapping[str, Any]] = {}

    def queue(self, arn: str) -> Queue:
        """The queue with this ARN; KeyError when there is none."""
        region, account_id, name = arn.split(":")[3:6]
        return sqs_backends[account_id][region].queues[name]

    def exists(self, arn: str) -> bool:
        """Whether there is such a queue."""
        region, account_id, name = arn.split(":")[3:6]
        return name in sqs_backends[account_id][region].queues

    def send(self, arn: str, body: str, attributes: Mapping[str, Any] | None = None) -> None:
        """Put a message into a queue; permissions are decided before, by the caller."""
        queue = self.queue(arn)
        backend = sqs_backends[queue.account_id][queue.region]
        backend.send_message(queue.name, body, message_attributes=dict(attributes or {}))

    def next_visible(self, arn: str) -> float | None:
        """When the earliest message of a queue can be received, in virtual seconds; None for an empty queue."""
        messages: list[Message] = self.queue(arn)._messages
        if not messages:
            return None
        # moto calls a message visible only after its millisecond has passed.
        earliest: float = min(max(m.visible_at, m.delayed_until) for m in messages)
        return (earliest + 1) / 1000

    def duplicate(self, arn: str, count: int) -> int:
        """Append a receivable copy of the first ``count`` messages, ids included, in flight or not; gives how many."""
        queue = self.queue(arn)
        copies = [copy.deepcopy(message) for message in queue._messages[:count]]
        for twin in copies:
            twin.visible_at = 0.0
            # With the receipt handles of the first, deleting one would delete both.
            twin.receipt_handle, twin._old_receipt_handles = None, []
        queue._messages.extend(copies)
        return len(copies)

    def move(self, source: str, target: str, count: int) -> int:
        """Move up to ``count`` receivable messages, in their order, and give how many.

        Each is a new message of its target: with an id, an age and receipts of its own (SQS guide, "Configuring a
        dead-letter queue redrive").
        """
        queue = self.queue(source)
        moved = 0
        for message in queue.messages[:count]:
            try:
                queue._messages.remove(message)
            except ValueError:  # somebody deleted it meanwhile
                continue
            self.send(target, message.body, message.message_attributes)
            moved += 1
        return moved

    def is_dead_letter_queue(self, arn: str) -> bool:
        """Whether another queue names this one in its redrive policy."""
        queue = self.queue(arn)
        others = sqs_backends[queue.account_id][queue.region].queues.values()
        return any(other.dead_letter_queue is queue for other in others)

    def depth(self, arn: str) -> int:
        """How many messages a queue holds, in flight and delayed ones included."""
        return len(self.queue(arn)._messages)


def _queue(account: Account, declaration: Declaration) -> Created:
    properties = declaration.properties
    if properties.get("FifoQueue"):
        raise declaration.unsupported("FifoQueue is not played", "Play it in rehearsal/engine/services/sqs.py")
    name = declaration.name(properties.get("QueueName"), longest=80)
    attributes = {key: _attribute(properties[key]) for key in _PLAIN_ATTRIBUTES if key in properties}
    queues = account.service(Queues)
    arn = account.arn("sqs", name)
    if "RedrivePolicy" in properties:
        _check_redrive(declaration, queues, arn, properties["RedrivePolicy"]["deadLetterTargetArn"])
        attributes["RedrivePolicy"] = json.dumps(properties["RedrivePolicy"])
    url = account.client("sqs").create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    if "RedriveAllowPolicy" in properties:
        queues.redrive_allow[arn] = properties["RedriveAllowPolicy"]
    key = customer_key(account, properties.get("KmsMasterKeyId"))
    if key is not None:
        account.encryption_keys[arn] = key
    return Created(ref=url, arn=arn, attributes={"Arn": arn, "QueueName": name, "QueueUrl": url})


def _attribute(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _check_redrive(declaration: Declaration, queues: Queues, arn: str, target: str) -> None:
    if not queues.exists(target):
        raise declaration.fail(f"RedrivePolicy names the dead-letter queue {target}, which does not exist")
    allow = queues.redrive_allow.get(target, {})
    permission = allow.get("redrivePermission", "allowAll")
    if permission == "denyAll" or (permission == "byQueue" and arn not in allow.get("sourceQueueArns", [])):
        raise declaration.fail(f"the RedriveAllowPolicy of {target} does not let {arn} use it as dead-letter queue")


def _queue_policy(account: Account, declaration: Declaration) -> Created:
    document = declaration.properties["PolicyDocument"]
    client = account.client("sqs")
    for url in _queue_urls(declaration):
        arn = client.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        account.authorizer.put_resource_policy(arn, document)
    return Created(ref=declaration.logical_id, attributes={"Id": declaration.logical_id})


def _queue_urls(declaration: Declaration) -> list[str]:
    properties = declaration.properties
    return [properties["Queue"]] if "Queue" in properties else list(properties["Queues"])


def _mark_received(message: Message, visibility_timeout: int | None = None) -> None:
    _MARK_RECEIVED(message, visibility_timeout)
    message.received_ms = unix_time_millis()


def _change_visibility(backend: SQSBackend, queue_name: str, receipt_handle: str, visibility_timeout: int) -> None:
    queue = backend.get_queue(queue_name)
    message = next((one for one in queue._messages if one.had_receipt_handle(receipt_handle)), None)
    if message is None:
        raise ReceiptHandleIsInvalid
    hidden_ms = unix_time_millis() + int(visibility_timeout) * 1000 - message.received_ms
    if hidden_ms > LONGEST_HIDDEN_S * 1000:
        raise InvalidParameterValue(
            f"Value {visibility_timeout} for parameter VisibilityTimeout is invalid. Reason: Total VisibilityTimeout "
            f"for the message is beyond the limit [{LONGEST_HIDDEN_S} seconds]"
        )
    message.change_visibility(visibility_timeout)
    if message.visible:
        queue.pending_messages.discard(message)


def attach(account: Account) -> Callable[[], None]:
    """Make the view of the queues known, and count the time for which a message may be hidden as SQS does."""
    account.register(Queues(account))
    Message.mark_received = _mark_received
    SQSBackend.change_message_visibility = _change_visibility

    def undo() -> None:
        Message.mark_received = _MARK_RECEIVED
        SQSBackend.change_message_visibility = _CHANGE_VISIBILITY

    return undo


RESOURCE_TYPES = (
    ResourceType(
        name="AWS::SQS::Queue",
        create=_queue,
        honoured=(*_PLAIN_ATTRIBUTES, "FifoQueue", "QueueName", "RedriveAllowPolicy", "RedrivePolicy"),
        ignored={"Tags": "no rule of the rehearsal reads a queue's tags"},
    ),
    ResourceType(name="AWS::SQS::QueuePolicy", create=_queue_policy, honoured=("PolicyDocument", "Queues")),
    ResourceType(name="AWS::SQS::QueueInlinePolicy", create=_queue_policy, honoured=("PolicyDocument", "Queue")),
)
