"""Event-source mappings to functions: from SQS queues, polled, batched and answered as Lambda does, and from tables.

Rules: AWS Lambda Developer Guide, "Using Lambda with Amazon SQS", "Handling errors for an SQS event source" and
"Event source mappings" (batching behaviour). How the stream of a table is read: `rehearsal.engine.table_stream_poller`.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from rehearsal.engine import iam
from rehearsal.engine.account import Account
from rehearsal.engine.function_model import FunctionDefinition, InvocationResult
from rehearsal.engine.functions import Functions
from rehearsal.engine.resources import Created, Declaration, ResourceType, camel
from rehearsal.engine.scheduler import Activity
from rehearsal.engine.services.dynamodb import TableStreams
from rehearsal.engine.services.sqs import Queues
from rehearsal.engine.table_stream_poller import StreamMapping, TableStreamPoller

ACTING = "lambda.amazonaws.com"
RECEIVE_LIMIT = 10
BATCH_LIMIT_BYTES = 6 * 1024 * 1024
BATCH_LIMIT_MESSAGES = 10_000
WINDOW_LIMIT_S = 300
RETRY_REFUSED_S = 30.0
POLL_TAKES_S = 0.2
THROTTLE_RETRY_S = 5.0
STREAM_ONLY = (
    "BisectBatchOnFunctionError",
    "DestinationConfig",
    "MaximumRecordAgeInSeconds",
    "MaximumRetryAttempts",
    "StartingPosition",
)
RETRY_LIMIT = 10_000
AGE_LIMITS_S = (60, 604_800)


@dataclass(frozen=True, kw_only=True)
class Mapping:
    """One mapping as its template declares it. ``window_s`` in seconds, ``batch_size`` in messages."""

    queue_arn: str
    function: str
    batch_size: int
    window_s: float
    partial_failures: bool


@dataclass(kw_only=True)
class _Batch:
    messages: list[dict[str, Any]] = field(default_factory=list)
    bytes: int = 0
    opened: float = 0.0


class QueuePoller:
    """Activity: receives messages, gathers a batch, invokes the function, deletes what succeeded."""

    def __init__(self, account: Account, mapping: Mapping) -> None:
        self.name = f"Event-source mapping {mapping.queue_arn.split(':')[-1]} → {mapping.function.split(':')[-1]}"
        self.refusals = 0
        self._account, self._mapping = account, mapping
        self._batch = _Batch()
        self._not_before = 0.0
        self._problem = ""
        self._url = ""

    def due(self) -> float | None:
        """When a message can be received, or the window of the open batch ends."""
        mapping, batch = self._mapping, self._batch
        receivable = self._account.service(Queues).next_visible(mapping.queue_arn)
        if receivable is not None:
            # Messages that went back together come again together, though some milliseconds lie between them.
            receivable += POLL_TAKES_S
        closes = batch.opened + mapping.window_s if batch.messages else None
        if self._full():
            return max(batch.opened, self._not_before)
        moments = [moment for moment in (receivable, closes) if moment is not None]
        return max(min(moments), self._not_before) if moments else None

    def step(self) -> None:
        """Receive once, or invoke with the batch that is full or whose window ended."""
        try:
            if not self._ready():
                self._receive()
            if self._ready():
                self._invoke()
        except (iam.AccessDenied, ClientError) as error:
            self.refusals += 1
            self._problem = str(error)
            self._not_before = self._account.clock.time() + RETRY_REFUSED_S
            self._account.records.happened("poll-refused", self.name, str(error))
        else:
            self.refusals, self._problem = 0, ""

    def waiting(self) -> str:
        """How many messages the queue and the open batch hold, and what was refused last."""
        depth = self._account.service(Queues).depth(self._mapping.queue_arn)
        held = f"{depth} messages in the queue" if depth else ""
        return f"{held}, last refusal: {self._problem}" if held and self._problem else held

    def _ready(self) -> bool:
        over = self._account.clock.time() >= self._batch.opened + self._mapping.window_s
        return self._full() or (bool(self._batch.messages) and over)

    def _full(self) -> bool:
        batch = self._batch
        return len(batch.messages) >= self._mapping.batch_size or batch.bytes >= BATCH_LIMIT_BYTES

    def _definition(self) -> FunctionDefinition:
        return self._account.service(Functions).find(self._mapping.function)

    def _client(self) -> Any:
        definition = self._definition()
        return self._account.client_as(
            "sqs", definition.role_arn, acting=ACTING, session=definition.name, source_arn=definition.arn
        )

    def _receive(self) -> None:
        client, account = self._client(), self._account
        if not self._url:
            account_id, name = self._mapping.queue_arn.split(":")[4:6]
            self._url = f"{account.endpoint_url}/{account_id}/{name}"
            client.get_queue_attributes(QueueUrl=self._url, AttributeNames=["VisibilityTimeout"])
        answer = client.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=min(RECEIVE_LIMIT, self._mapping.batch_size - len(self._batch.messages)),
            WaitTimeSeconds=0,
            AttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        messages = answer.get("Messages", [])
        if messages and not self._batch.messages:
            self._batch.opened = account.clock.time()
        for message in messages:
            size = len(message["Body"].encode())
            self._batch.messages.append(_event_record(message, self._mapping.queue_arn, account.region))
            self._batch.bytes += size

    def _invoke(self) -> None:
        batch, self._batch = self._batch, _Batch()
        within, beyond = _within_limit(batch.messages)
        if beyond:
            self._batch = _Batch(
                messages=beyond, bytes=sum(len(m["body"].encode()) for m in beyond), opened=batch.opened
            )
        payload = json.dumps({"Records": within}).encode()
        functions, records = self._account.service(Functions), self._account.records
        result = functions.invoke(self._mapping.function, payload, source=self._mapping.queue_arn)
        if result.throttled:
            self._not_before = self._account.clock.time() + THROTTLE_RETRY_S
        done = _succeeded(within, result, self._mapping.partial_failures)
        failed = len(within) - len(done)
        records.happened("batch-processed", self._mapping.queue_arn, self._definition().name, count=len(done))
        if failed:
            records.happened("messages-returned", self._mapping.queue_arn, self._definition().name, count=failed)
        client = self._client()
        for start in range(0, len(done), RECEIVE_LIMIT):
            entries = [
                {"Id": str(index), "ReceiptHandle": record["receiptHandle"]}
                for index, record in enumerate(done[start : start + RECEIVE_LIMIT])
            ]
            client.delete_message_batch(QueueUrl=self._url, Entries=entries)


def _within_limit(messages: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The messages whose event stays within the invocation's limit, and the rest."""
    size = 0
    for index, message in enumerate(messages):
        size += len(json.dumps(message).encode()) + 2
        if size > BATCH_LIMIT_BYTES and index:
            return messages[:index], messages[index:]
    return messages, []


def _event_record(message: dict[str, Any], queue_arn: str, region: str) -> dict[str, Any]:
    record = {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message.get("Attributes", {}),
        "messageAttributes": {
            name: {"stringListValues": [], "binaryListValues": [], **{camel(k): v for k, v in value.items()}}
            for name, value in message.get("MessageAttributes", {}).items()
        },
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn,
        "awsRegion": region,
    }
    if "MD5OfMessageAttributes" in message:
        record["md5OfMessageAttributes"] = message["MD5OfMessageAttributes"]
    return record


def _succeeded(records: list[dict[str, Any]], result: InvocationResult, partial_failures: bool) -> list[dict[str, Any]]:
    """The records to delete: all, none, or those that the function did not report.

    An answer that cannot be read, or names a message that is not in the batch, counts as a failure of all.
    """
    if not result.ok:
        return []
    if not partial_failures:
        return records
    try:
        answer = json.loads(result.payload or b"null")
    except ValueError:
        return []
    if answer is not None and not isinstance(answer, dict):
        return []
    failures = (answer or {}).get("batchItemFailures") or []
    if not isinstance(failures, list):
        return []
    ids = {record["messageId"] for record in records}
    reported = {one.get("itemIdentifier") if isinstance(one, dict) else None for one in failures}
    if not reported <= ids:
        return []
    return [record for record in records if record["messageId"] not in reported]


def _event_source_mapping(account: Account, declaration: Declaration) -> Created:
    properties = declaration.properties
    source = properties["EventSourceArn"]
    service = source.split(":")[2]
    if service == "sqs":
        poller: Activity = _queue_poller(account, declaration, source)
    elif service == "dynamodb":
        poller = _stream_poller(account, declaration, source)
    else:
        raise declaration.unsupported(
            f"EventSourceArn {source} is neither a queue nor the stream of a table",
            "Play other sources in services/event_source_mapping.py",
        )
    if properties.get("Enabled", True):
        account.scheduler.add(poller)
    identifier = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{declaration.stack}/{declaration.logical_id}"))
    arn = account.arn("lambda", f"event-source-mapping:{identifier}")
    return Created(ref=identifier, arn=arn, attributes={"Id": identifier, "EventSourceMappingArn": arn})


def _queue_poller(account: Account, declaration: Declaration, source: str) -> QueuePoller:
    properties = declaration.properties
    queues, functions = account.service(Queues), account.service(Functions)
    if not queues.exists(source):
        raise declaration.fail(f"the queue {source} does not exist")
    for name in STREAM_ONLY:
        if name in properties:
            raise declaration.fail(f"{name} is for streams and the source is a queue; leave it out")
    batch_size, window_s = _gathering(declaration, usual_size=10)
    if batch_size > RECEIVE_LIMIT and window_s < 1:
        raise declaration.fail(
            f"BatchSize given {batch_size}; over 10 it needs MaximumBatchingWindowInSeconds of at least 1"
        )
    definition = functions.find(properties["FunctionName"])
    visibility = int(queues.queue(source).visibility_timeout)
    if visibility < definition.timeout_s:
        raise declaration.fail(
            f"the queue's visibility timeout ({visibility} s) is less than the function's timeout "
            f"({definition.timeout_s} s)"
        )
    mapping = Mapping(
        queue_arn=source,
        function=properties["FunctionName"],
        batch_size=batch_size,
        window_s=window_s,
        partial_failures="ReportBatchItemFailures" in properties.get("FunctionResponseTypes", []),
    )
    return QueuePoller(account, mapping)


def _stream_poller(account: Account, declaration: Declaration, source: str) -> TableStreamPoller:
    properties = declaration.properties
    if not account.service(TableStreams).exists(source):
        raise declaration.fail(f"the stream {source} does not exist")
    if "ScalingConfig" in properties:
        raise declaration.fail("ScalingConfig is for queues and the source is a stream; leave it out")
    start = properties["StartingPosition"]
    if start not in ("TRIM_HORIZON", "LATEST"):
        raise declaration.fail(f"StartingPosition given {start!r}, allowed is TRIM_HORIZON or LATEST")
    batch_size, window_s = _gathering(declaration, usual_size=100)
    retries, age_s = _limits(declaration)
    destination = properties.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination", "")
    if destination and destination.split(":")[2] != "sqs":
        raise declaration.unsupported(f"the destination {destination} is not played", "Use a queue")
    if destination and not account.service(Queues).exists(destination):
        raise declaration.fail(f"the destination {destination} does not exist")
    account.service(Functions).find(properties["FunctionName"])
    mapping = StreamMapping(
        stream_arn=source,
        function=properties["FunctionName"],
        batch_size=batch_size,
        window_s=window_s,
        from_start=start == "TRIM_HORIZON",
        maximum_retries=retries,
        maximum_age_s=age_s,
        bisect=bool(properties.get("BisectBatchOnFunctionError", False)),
        partial_failures="ReportBatchItemFailures" in properties.get("FunctionResponseTypes", []),
        on_failure=destination,
    )
    return TableStreamPoller(account, mapping)


def _gathering(declaration: Declaration, *, usual_size: int) -> tuple[int, float]:
    """The batch size and the window in seconds."""
    batch_size = int(declaration.properties.get("BatchSize", usual_size))
    window_s = float(declaration.properties.get("MaximumBatchingWindowInSeconds", 0))
    if not 1 <= batch_size <= BATCH_LIMIT_MESSAGES:
        raise declaration.fail(f"BatchSize given {batch_size}, allowed is 1 to {BATCH_LIMIT_MESSAGES}")
    if not 0 <= window_s <= WINDOW_LIMIT_S:
        raise declaration.fail(f"MaximumBatchingWindowInSeconds given {window_s:g}, allowed is 0 to {WINDOW_LIMIT_S}")
    return batch_size, window_s


def _limits(declaration: Declaration) -> tuple[int | None, float | None]:
    """How often a failed batch is tried again, and how old in seconds a record may become; None: no limit (-1)."""
    retries = int(declaration.properties.get("MaximumRetryAttempts", -1))
    age_s = float(declaration.properties.get("MaximumRecordAgeInSeconds", -1))
    if not -1 <= retries <= RETRY_LIMIT:
        raise declaration.fail(f"MaximumRetryAttempts given {retries}, allowed is -1 to {RETRY_LIMIT}")
    youngest, oldest = AGE_LIMITS_S
    if age_s != -1 and not youngest <= age_s <= oldest:
        raise declaration.fail(f"MaximumRecordAgeInSeconds given {age_s:g}, allowed is -1 or {youngest} to {oldest}")
    return None if retries == -1 else retries, None if age_s == -1 else age_s


RESOURCE_TYPES = (
    ResourceType(
        name="AWS::Lambda::EventSourceMapping",
        create=_event_source_mapping,
        honoured=(
            "BatchSize",
            "BisectBatchOnFunctionError",
            "DestinationConfig.OnFailure.Destination",
            "Enabled",
            "EventSourceArn",
            "FunctionName",
            "FunctionResponseTypes",
            "MaximumBatchingWindowInSeconds",
            "MaximumRecordAgeInSeconds",
            "MaximumRetryAttempts",
            "StartingPosition",
        ),
        ignored={
            "ScalingConfig": "one batch at a time is processed, which is below any maximum",
            "Tags": "no rule of the rehearsal reads a mapping's tags",
        },
    ),
)
