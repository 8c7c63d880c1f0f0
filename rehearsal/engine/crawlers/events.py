"""The event queue of a crawler in event mode: drains it and says which folders have changed.

It must not list objects; which files there are is the crawl's to find out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_plus

from rehearsal.engine import iam
from rehearsal.engine.account import Account
from rehearsal.engine.crawlers.definition import Target

# Glue guide, "Accelerating crawls using Amazon S3 event notifications".
MESSAGE_LIMIT = 100_000
_RECEIVE_LIMIT = 10
# What the same page lists for the crawler's role on its queue. When a crawl does the last four is said nowhere, so
# they are decided at the start of every crawl.
_ALSO_NEEDED = ("ListDeadLetterSourceQueues", "ListQueueTags", "PurgeQueue", "SetQueueAttributes")


@dataclass(kw_only=True)
class Drained:
    """What was in the queue: folders below the target that changed, receipt handles of all messages."""

    folders: set[str] = field(default_factory=set)
    receipts: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)


class EventQueue:
    """The queue of one target, read with the crawler's role."""

    def __init__(self, account: Account, target: Target, principal: iam.Principal, client: Any) -> None:
        self._account, self._target, self._principal, self._sqs = account, target, principal, client

    def drain(self) -> Drained:
        """Receive what is there, up to the limit of a crawl; the messages stay in the queue until `delete`.

        Raises:
            ClientError, rehearsal.engine.iam.AccessDenied: the role may not.
        """
        url = self._url(self._target.queue_arn)
        for operation in _ALSO_NEEDED:
            parameters = {"QueueUrl": url, "Attributes": {}}
            needs = self._account.authorizer.needs_of("sqs", operation, parameters)
            self._account.authorizer.authorize(self._principal, needs)
        self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
        found = Drained()
        while len(found.receipts) < MESSAGE_LIMIT:
            messages = self._sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=_RECEIVE_LIMIT, WaitTimeSeconds=0)
            if not messages.get("Messages"):
                break
            for message in messages["Messages"]:
                found.receipts.append(message["ReceiptHandle"])
                self._read(message["Body"], found)
        return found

    def _url(self, arn: str) -> str:
        name, owner = arn.rsplit(":", 1)[-1], arn.split(":")[4]
        return str(self._sqs.get_queue_url(QueueName=name, QueueOwnerAWSAccountId=owner)["QueueUrl"])

    def _read(self, body: str, found: Drained) -> None:
        try:
            keys = list(_keys(body, self._target))
        except (ValueError, KeyError, TypeError, AttributeError):
            found.strangers.append(body)
            return
        found.folders |= {key.rsplit("/", 1)[0] + "/" if "/" in key else "" for key in keys}

    def delete(self, drained: Drained) -> None:
        """Take the drained messages out of the queue; unreadable ones go to the dead-letter queue, if there is one.

        Raises:
            ClientError: the role may not.
        """
        if drained.strangers and self._target.dead_letters_arn:
            dead_letters = self._url(self._target.dead_letters_arn)
            for body in drained.strangers:
                self._sqs.send_message(QueueUrl=dead_letters, MessageBody=body)
        url = self._url(self._target.queue_arn) if drained.receipts else ""
        for start in range(0, len(drained.receipts), _RECEIVE_LIMIT):
            some = drained.receipts[start : start + _RECEIVE_LIMIT]
            entries = [{"Id": str(number), "ReceiptHandle": receipt} for number, receipt in enumerate(some)]
            self._sqs.delete_message_batch(QueueUrl=url, Entries=entries)


def _keys(body: str, target: Target) -> Iterator[str]:
    """The keys of an S3 notification that lie in the target, whether it came directly or through SNS."""
    event: Mapping[str, Any] = json.loads(body)
    if event.get("Type") == "Notification":
        event = json.loads(event["Message"])
    if event.get("Event") == "s3:TestEvent":
        return
    for record in event["Records"]:
        key = unquote_plus(record["s3"]["object"]["key"])
        if target.holds(record["s3"]["bucket"]["name"], key):
            yield key
