"""S3 buckets, their policies and notifications; moto keeps the objects, the notifications are played here."""

from __future__ import annotations

import json
import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus

from moto.s3 import notifications
from moto.s3.exceptions import S3ClientError
from moto.s3.models import S3Backend

from rehearsal.engine import iam
from rehearsal.engine.account import PARTITION, Account
from rehearsal.engine.async_invocations import AsyncInvocations
from rehearsal.engine.resources import Created, Declaration, ResourceType
from rehearsal.engine.services.kms import customer_key
from rehearsal.engine.services.sns import publish_as_service
from rehearsal.engine.services.sqs import Queues

PRINCIPAL = "s3.amazonaws.com"


@dataclass(frozen=True, kw_only=True)
class _Notification:
    bucket_arn: str
    target: str
    text: str
    time: float


class Notifications:
    """Activity: tells topics, queues and functions of a bucket's events."""

    def __init__(self, account: Account) -> None:
        self.name = "S3 notifications"
        self.refusals = 0
        self._account = account
        self._pending: deque[_Notification] = deque()
        self._sequencer = 0

    def happened(self, event_name: str, bucket: Any, key: Any) -> None:
        """An object was created or removed: note what must be told to whom."""
        configuration = bucket.notification_configuration
        if configuration is None:
            return
        self._sequencer += 1
        for one in [*configuration.topic, *configuration.queue, *configuration.cloud_function]:
            if one.matches(event_name, key.name):
                record = self._record(event_name, bucket, key, one.id)
                self._pending.append(
                    _Notification(
                        bucket_arn=bucket.arn,
                        target=one.arn,
                        text=json.dumps({"Records": [record]}),
                        time=self._account.clock.time(),
                    )
                )

    def test(self, bucket: Any) -> None:
        """Tell each topic and queue of a new configuration, as S3 does to see that it may.

        Raises:
            rehearsal.engine.iam.AccessDenied: a target's policy does not let S3 in.
        """
        event = {
            "Service": "Amazon S3",
            "Event": "s3:TestEvent",
            "Time": _iso(self._account),
            "Bucket": bucket.name,
        }
        configuration = bucket.notification_configuration
        for target in dict.fromkeys(one.arn for one in [*configuration.topic, *configuration.queue]):
            self._tell(
                _Notification(
                    bucket_arn=bucket.arn, target=target, text=json.dumps(event), time=self._account.clock.time()
                )
            )

    def due(self) -> float | None:
        """At once, in the order of the events."""
        return self._pending[0].time if self._pending else None

    def step(self) -> None:
        """Tell one target of one event; a refusal is recorded and the event is lost for this target."""
        notification = self._pending.popleft()
        try:
            self._tell(notification)
        except (iam.AccessDenied, KeyError) as error:
            self._account.records.happened("notification-refused", notification.bucket_arn, str(error))

    def waiting(self) -> str:
        """How many events are on their way."""
        return f"{len(self._pending)} events to tell" if self._pending else ""

    def _tell(self, notification: _Notification) -> None:
        account, target, source = self._account, notification.target, notification.bucket_arn
        service = target.split(":")[2]
        if service == "sns":
            publish_as_service(
                account,
                PRINCIPAL,
                target,
                notification.text,
                subject="Amazon S3 Notification",
                source_arn=source,
            )
        elif service == "sqs":
            queue = account.service(Queues).queue(target)
            parameters = {"QueueUrl": f"{account.endpoint_url}/{queue.account_id}/{queue.name}"}
            account.authorize_service(PRINCIPAL, "sqs", "SendMessage", parameters, source_arn=source)
            account.service(Queues).send(target, notification.text)
        else:
            parameters = {"FunctionName": target, "InvocationType": "Event"}
            account.authorize_service(PRINCIPAL, "lambda", "Invoke", parameters, source_arn=source)
            account.service(AsyncInvocations).enqueue(target, notification.text.encode(), source=source)
        account.records.happened("bucket-event-told", source, target)

    def _record(self, event_name: str, bucket: Any, key: Any, configuration_id: str) -> dict[str, Any]:
        entity: dict[str, Any] = {"key": quote_plus(key.name, safe="/")}
        if "ObjectCreated" in event_name:
            entity |= {"size": key.size, "eTag": key.etag.replace('"', "")}
        if bucket.is_versioned and getattr(key, "version_id", None):
            entity["versionId"] = key.version_id
        return {
            "eventVersion": "2.1",
            "eventSource": "aws:s3",
            "awsRegion": self._account.region,
            "eventTime": _iso(self._account),
            "eventName": event_name.removeprefix("s3:"),
            "userIdentity": {"principalId": "AWS:REHEARSAL"},
            "requestParameters": {"sourceIPAddress": "127.0.0.1"},
            "responseElements": {"x-amz-request-id": uuid.uuid4().hex[:16].upper(), "x-amz-id-2": "rehearsal"},
            "s3": {
                "s3SchemaVersion": "1.0",
                "configurationId": configuration_id,
                "bucket": {
                    "name": bucket.name,
                    "ownerIdentity": {"principalId": "REHEARSAL"},
                    "arn": bucket.arn,
                },
                "object": {**entity, "sequencer": f"{self._sequencer:018X}"},
            },
        }


def _iso(account: Account) -> str:
    return account.clock.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")


def attach(account: Account) -> Callable[[], None]:
    """Take the notifications over from moto."""
    activity = Notifications(account)
    account.register(activity)
    account.scheduler.add(activity)
    kept = (
        notifications.send_event,
        notifications.send_test_event,
        S3Backend._set_delete_marker,
        S3Backend.put_object,
    )

    def send_event(account_id: str, event_name: Any, bucket: Any, key: Any) -> None:
        del account_id
        activity.happened(getattr(event_name, "value", event_name), bucket, key)

    def send_test_event(account_id: str, bucket: Any) -> None:
        del account_id
        try:
            activity.test(bucket)
        except (iam.AccessDenied, KeyError) as error:
            problem = f"Unable to validate the following destination configurations: {error}"
            raise S3ClientError("InvalidArgument", problem) from error

    def set_delete_marker(self: S3Backend, bucket_name: str, key_name: str) -> Any:
        # moto tells nobody of a delete marker, which is what deleting from a versioned bucket makes.
        bucket = self.get_bucket(bucket_name)
        removed = bucket.keys.get(key_name)
        marker = kept[2](self, bucket_name, key_name)
        if removed is not None:
            activity.happened("s3:ObjectRemoved:DeleteMarkerCreated", bucket, removed)
        return marker

    def put_object(self: S3Backend, *given: Any, **named: Any) -> Any:
        # moto puts the parts of an upload together with a put, which S3 does not tell of beside the completion.
        silent = {"disable_notification": True} if named.get("multipart") is not None else {}
        return kept[3](self, *given, **{**named, **silent})

    notifications.send_event = send_event
    notifications.send_test_event = send_test_event
    S3Backend._set_delete_marker, S3Backend.put_object = set_delete_marker, put_object

    def undo() -> None:
        notifications.send_event, notifications.send_test_event, *methods = kept
        S3Backend._set_delete_marker, S3Backend.put_object = methods

    return undo


def _bucket(account: Account, declaration: Declaration) -> Created:
    properties, client = declaration.properties, account.client("s3")
    name = declaration.name(properties.get("BucketName"), longest=63, lower=True)
    arguments: dict[str, Any] = {}
    if account.region != "us-east-1":
        arguments["CreateBucketConfiguration"] = {"LocationConstraint": account.region}
    client.create_bucket(Bucket=name, **arguments)
    arn = f"arn:{PARTITION}:s3:::{name}"
    if "VersioningConfiguration" in properties:
        client.put_bucket_versioning(Bucket=name, VersioningConfiguration=properties["VersioningConfiguration"])
    if "PublicAccessBlockConfiguration" in properties:
        # Every caller of a rehearsal is a principal of the account; but who uses a bucket may ask whether it is closed.
        client.put_public_access_block(
            Bucket=name, PublicAccessBlockConfiguration=properties["PublicAccessBlockConfiguration"]
        )
    for rule in properties.get("BucketEncryption", {}).get("ServerSideEncryptionConfiguration", []):
        _encrypt(account, client, name, arn, rule)
    _notify(client, name, properties.get("NotificationConfiguration", {}))
    host = f"{name}.s3.amazonaws.com"
    regional = f"{name}.s3.{account.region}.amazonaws.com"
    attributes = {"Arn": arn, "DomainName": host, "RegionalDomainName": regional}
    return Created(ref=name, arn=arn, attributes=attributes)


def _encrypt(account: Account, client: Any, name: str, arn: str, rule: dict[str, Any]) -> None:
    default = rule.get("ServerSideEncryptionByDefault", {"SSEAlgorithm": "AES256"})
    key = customer_key(account, default.get("KMSMasterKeyID"))
    if key is not None:
        account.encryption_keys[arn] = key
        default = {**default, "KMSMasterKeyID": key}
    if rule.get("BucketKeyEnabled"):
        account.bucket_keys.add(arn)
    client.put_bucket_encryption(
        Bucket=name,
        ServerSideEncryptionConfiguration={
            "Rules": [
                {
                    "ApplyServerSideEncryptionByDefault": default,
                    "BucketKeyEnabled": bool(rule.get("BucketKeyEnabled", False)),
                }
            ]
        },
    )


def _notify(client: Any, bucket: str, configuration: dict[str, Any]) -> None:
    wanted: dict[str, list[dict[str, Any]]] = {}
    for section, target, api_section, api_target in (
        ("TopicConfigurations", "Topic", "TopicConfigurations", "TopicArn"),
        ("QueueConfigurations", "Queue", "QueueConfigurations", "QueueArn"),
        ("LambdaConfigurations", "Function", "LambdaFunctionConfigurations", "LambdaFunctionArn"),
    ):
        for one in configuration.get(section, []):
            entry = {api_target: one[target], "Events": [one["Event"]]}
            rules = one.get("Filter", {}).get("S3Key", {}).get("Rules", [])
            if rules:
                entry["Filter"] = {"Key": {"FilterRules": rules}}
            wanted.setdefault(api_section, []).append(entry)
    if wanted:
        client.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=wanted)


def _bucket_policy(account: Account, declaration: Declaration) -> Created:
    name, document = declaration.properties["Bucket"], declaration.properties["PolicyDocument"]
    account.client("s3").put_bucket_policy(Bucket=name, Policy=json.dumps(document))
    account.authorizer.put_resource_policy(f"arn:{PARTITION}:s3:::{name}", document)
    return Created(ref=name)


_NO_AGEING = "nothing ages for days in a rehearsal"

RESOURCE_TYPES = (
    ResourceType(
        name="AWS::S3::Bucket",
        create=_bucket,
        honoured=(
            "BucketEncryption.ServerSideEncryptionConfiguration.BucketKeyEnabled",
            "BucketEncryption.ServerSideEncryptionConfiguration.ServerSideEncryptionByDefault.KMSMasterKeyID",
            "BucketEncryption.ServerSideEncryptionConfiguration.ServerSideEncryptionByDefault.SSEAlgorithm",
            "BucketName",
            "NotificationConfiguration.LambdaConfigurations",
            "NotificationConfiguration.QueueConfigurations",
            "NotificationConfiguration.TopicConfigurations",
            "PublicAccessBlockConfiguration",
            "VersioningConfiguration",
        ),
        ignored={
            "AccessControl": "the account's principals are decided by policies, and access lists grant nobody else",
            "IntelligentTieringConfigurations": _NO_AGEING,
            "LifecycleConfiguration": _NO_AGEING,
            "LoggingConfiguration": "S3 writes access logs after hours, by its own principal",
            "NotificationConfiguration.EventBridgeConfiguration": "no event rule is played; a template with one is "
            "refused as an unknown type, so nobody could listen",
            "ObjectLockEnabled": "nothing is deleted in a rehearsal but by the application's own calls",
            "OwnershipControls": "all objects are written by principals of one account",
            "Tags": "no rule of the rehearsal reads a bucket's tags",
        },
    ),
    ResourceType(name="AWS::S3::BucketPolicy", create=_bucket_policy, honoured=("Bucket", "PolicyDocument")),
)
