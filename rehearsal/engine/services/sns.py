"""SNS topics, policies and subscriptions, and the delivery of what is published, under the policies of the target.

moto matches filter policies and keeps the subscriptions; delivering is done here, after ``Publish`` returned.
"""

from __future__ import annotations

import base64
import json
import uuid
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from moto.sns.models import Subscription, sns_backends

from rehearsal.engine import iam
from rehearsal.engine.account import Account
from rehearsal.engine.async_invocations import AsyncInvocations
from rehearsal.engine.functions import Functions
from rehearsal.engine.resources import Created, Declaration, ResourceType
from rehearsal.engine.services.kms import customer_key
from rehearsal.engine.services.sqs import Queues

PRINCIPAL = "sns.amazonaws.com"
# Protocols whose messages leave AWS: the subscription exists, and nothing is sent from a rehearsal.
_OUTSIDE = {"email", "email-json", "sms"}


@dataclass(frozen=True, kw_only=True)
class _Message:
    subscription: Subscription
    message_id: str
    text: str
    subject: str | None
    attributes: Mapping[str, Any]
    time: float


class Deliveries:
    """Activity: brings each published message to each subscription whose filter let it pass."""

    def __init__(self, account: Account) -> None:
        self.name = "SNS deliveries"
        self.refusals = 0
        self._account = account
        self._pending: deque[_Message] = deque()

    def enqueue(self, message: _Message) -> None:
        """Take a message for delivery."""
        self._pending.append(message)

    def due(self) -> float | None:
        """At once, in the order of publication."""
        return self._pending[0].time if self._pending else None

    def step(self) -> None:
        """Deliver one message; a refused one goes to the subscription's dead-letter queue, or is lost."""
        message = self._pending.popleft()
        subscription = message.subscription
        try:
            self._deliver(message, subscription.endpoint)
        except (iam.AccessDenied, KeyError) as error:
            # Amazon SNS Developer Guide, "Dead-letter queues": client-side errors are not retried.
            problem = f"{subscription.arn}: {error}"
            self._account.records.happened("delivery-refused", subscription.topic_arn, problem)
            self._to_dead_letters(message)

    def waiting(self) -> str:
        """How many messages are on their way."""
        return f"{len(self._pending)} messages to deliver" if self._pending else ""

    def _deliver(self, message: _Message, endpoint: str) -> None:
        subscription, records = message.subscription, self._account.records
        if subscription.protocol == "sqs":
            self._send(endpoint, message, subscription.topic_arn)
        elif subscription.protocol == "lambda":
            self._invoke(endpoint, message, subscription.topic_arn)
        records.happened("message-delivered", subscription.topic_arn, endpoint, size=len(message.text))

    def _send(self, queue_arn: str, message: _Message, topic_arn: str) -> None:
        queues = self._account.service(Queues)
        queue = queues.queue(queue_arn)
        url = f"{self._account.endpoint_url}/{queue.account_id}/{queue.name}"
        raw = str(message.subscription.attributes.get("RawMessageDelivery", "false")).lower() == "true"
        body = message.text if raw else json.dumps(_envelope(message, topic_arn, self._account))
        parameters = {"QueueUrl": url, "MessageBody": body}
        self._account.authorize_service(PRINCIPAL, "sqs", "SendMessage", parameters, source_arn=topic_arn)
        queues.send(queue_arn, body, _queue_attributes(message.attributes) if raw else None)

    def _invoke(self, function_arn: str, message: _Message, topic_arn: str) -> None:
        parameters = {"FunctionName": function_arn, "InvocationType": "Event"}
        self._account.authorize_service(PRINCIPAL, "lambda", "Invoke", parameters, source_arn=topic_arn)
        record = {
            "EventSource": "aws:sns",
            "EventVersion": "1.0",
            "EventSubscriptionArn": message.subscription.arn,
            "Sns": _function_record(_envelope(message, topic_arn, self._account)),
        }
        payload = json.dumps({"Records": [record]}).encode()
        self._account.service(AsyncInvocations).enqueue(function_arn, payload, source=topic_arn)

    def _to_dead_letters(self, message: _Message) -> None:
        policy = message.subscription.attributes.get("RedrivePolicy")
        if not policy:
            return
        target = (json.loads(policy) if isinstance(policy, str) else policy)["deadLetterTargetArn"]
        try:
            self._send(target, message, message.subscription.topic_arn)
        except (iam.AccessDenied, KeyError) as error:
            self._account.records.happened("dead-letter-refused", target, str(error))


def _envelope(message: _Message, topic_arn: str, account: Account) -> dict[str, Any]:
    moment = account.clock.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
    host = f"https://sns.{account.region}.amazonaws.com"
    envelope: dict[str, Any] = {
        "Type": "Notification",
        "MessageId": message.message_id,
        "TopicArn": topic_arn,
        "Message": message.text,
        "Timestamp": moment,
        "SignatureVersion": "1",
        "Signature": base64.b64encode(uuid.uuid5(uuid.NAMESPACE_URL, message.message_id).bytes).decode(),
        "SigningCertURL": f"{host}/SimpleNotificationService-rehearsal.pem",
        "UnsubscribeURL": f"{host}/?Action=Unsubscribe&SubscriptionArn={message.subscription.arn}",
    }
    if message.subject:
        envelope["Subject"] = message.subject
    if message.attributes:
        envelope["MessageAttributes"] = {
            name: {"Type": value["Type"], "Value": _attribute_text(value)} for name, value in message.attributes.items()
        }
    return envelope


def _function_record(envelope: dict[str, Any]) -> dict[str, Any]:
    # The event that Lambda receives spells two keys otherwise (Lambda Developer Guide, "Using Lambda with SNS").
    record = {"Subject": None, "MessageAttributes": {}, **envelope}
    record["SigningCertUrl"] = record.pop("SigningCertURL")
    record["UnsubscribeUrl"] = record.pop("UnsubscribeURL")
    return record


def _attribute_text(value: Mapping[str, Any]) -> str:
    content = value["Value"]
    return base64.b64encode(content).decode() if isinstance(content, bytes) else str(content)


def _queue_attributes(attributes: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in attributes.items():
        binary = value["Type"].startswith("Binary")
        content = {"BinaryValue": value["Value"]} if binary else {"StringValue": str(value["Value"])}
        found[name] = {"DataType": value["Type"], **content}
    return found


def attach(account: Account) -> Callable[[], None]:
    """Take the delivery over from moto."""
    deliveries = Deliveries(account)
    account.register(deliveries)
    account.scheduler.add(deliveries)
    kept = Subscription.publish

    def publish(
        self: Subscription,
        message: str,
        message_id: str,
        subject: str | None = None,
        message_attributes: dict[str, Any] | None = None,
        group_id: str | None = None,
        deduplication_id: str | None = None,
        message_structure: str | None = None,
    ) -> None:
        del group_id, deduplication_id
        matcher = self._filter_policy_matcher
        if matcher is not None and not matcher.matches(message_attributes, message):
            return
        text = self._parse_message_structure(message, self.protocol) if message_structure == "json" else message
        deliveries.enqueue(
            _Message(
                subscription=self,
                message_id=message_id,
                text=text,
                subject=subject,
                attributes=message_attributes or {},
                time=account.clock.time(),
            )
        )

    Subscription.publish = publish

    def undo() -> None:
        Subscription.publish = kept

    return undo


def publish_as_service(
    account: Account, principal: str, topic_arn: str, text: str, *, subject: str, source_arn: str
) -> None:
    """Publish in the name of an AWS service, such as S3 for a bucket.

    Raises:
        rehearsal.engine.iam.AccessDenied: the topic's or its key's policy does not allow it.
    """
    parameters = {"TopicArn": topic_arn, "Message": text}
    account.authorize_service(principal, "sns", "Publish", parameters, source_arn=source_arn)
    region, account_id = topic_arn.split(":")[3:5]
    sns_backends[account_id][region].publish(arn=topic_arn, message=text, subject=subject)


def _topic(account: Account, declaration: Declaration) -> Created:
    properties, client = declaration.properties, account.client("sns")
    if properties.get("FifoTopic"):
        raise declaration.unsupported("FifoTopic is not played", "Play it in rehearsal/engine/services/sns.py")
    name = declaration.name(properties.get("TopicName"), longest=256)
    attributes = {
        key: str(properties[key]) for key in ("DisplayName", "KmsMasterKeyId", "SignatureVersion") if key in properties
    }
    arn = client.create_topic(Name=name, Attributes=attributes)["TopicArn"]
    key = customer_key(account, properties.get("KmsMasterKeyId"))
    if key is not None:
        account.encryption_keys[arn] = key
    for subscription in properties.get("Subscription", []):
        _subscribe(account, declaration, {"TopicArn": arn, **subscription})
    return Created(ref=arn, arn=arn, attributes={"TopicArn": arn, "TopicName": name})


def _topic_policy(account: Account, declaration: Declaration) -> Created:
    for arn in declaration.properties["Topics"]:
        account.authorizer.put_resource_policy(arn, declaration.properties["PolicyDocument"])
    return Created(ref=declaration.logical_id, attributes={"Id": declaration.logical_id})


def _subscription(account: Account, declaration: Declaration) -> Created:
    arn = _subscribe(account, declaration, declaration.properties)
    return Created(ref=arn, arn=arn, attributes={"Arn": arn})


def _subscribe(account: Account, declaration: Declaration, properties: Mapping[str, Any]) -> str:
    protocol, endpoint = properties["Protocol"], properties["Endpoint"]
    if protocol not in {"sqs", "lambda", *_OUTSIDE}:
        raise declaration.unsupported(
            f"Protocol {protocol!r} is not played", "Play it in rehearsal/engine/services/sns.py"
        )
    if protocol == "sqs" and not account.service(Queues).exists(endpoint):
        raise declaration.fail(f"Endpoint {endpoint} is not a queue")
    if protocol == "lambda":
        account.service(Functions).find(endpoint)
    attributes = {}
    for key in ("FilterPolicy", "RedrivePolicy"):
        if key in properties:
            attributes[key] = json.dumps(properties[key])
    for key in ("FilterPolicyScope", "RawMessageDelivery"):
        if key in properties:
            attributes[key] = str(properties[key]).lower() if key[0] == "R" else str(properties[key])
    arn: str = account.client("sns").subscribe(
        TopicArn=properties["TopicArn"],
        Protocol=protocol,
        Endpoint=endpoint,
        Attributes=attributes,
        ReturnSubscriptionArn=True,
    )["SubscriptionArn"]
    return arn


_SUBSCRIPTION_PROPERTIES = (
    "Endpoint",
    "FilterPolicy",
    "FilterPolicyScope",
    "Protocol",
    "RawMessageDelivery",
    "RedrivePolicy",
)

RESOURCE_TYPES = (
    ResourceType(
        name="AWS::SNS::Topic",
        create=_topic,
        honoured=(
            "DisplayName",
            "FifoTopic",
            "KmsMasterKeyId",
            "SignatureVersion",
            "TopicName",
            "Subscription.Endpoint",
            "Subscription.Protocol",
        ),
        ignored={
            "Tags": "no rule of the rehearsal reads a topic's tags",
            "TracingConfig": "no trace is kept in a rehearsal",
        },
    ),
    ResourceType(name="AWS::SNS::TopicPolicy", create=_topic_policy, honoured=("PolicyDocument", "Topics")),
    ResourceType(
        name="AWS::SNS::Subscription",
        create=_subscription,
        honoured=(*_SUBSCRIPTION_PROPERTIES, "TopicArn"),
        ignored={"Region": "the rehearsal has one Region"},
    ),
)
