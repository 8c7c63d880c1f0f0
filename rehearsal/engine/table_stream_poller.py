"""Reads a DynamoDB stream for a function, as the event-source mapping of Lambda does.

Rules: AWS Lambda Developer Guide, "Using AWS Lambda with Amazon DynamoDB", "Retain discarded records for a DynamoDB
event source" and "Configuring partial batch response with DynamoDB and Lambda".
"""

from __future__ import annotations

import base64
import json
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from rehearsal.engine import iam
from rehearsal.engine.account import Account
from rehearsal.engine.function_model import FunctionDefinition, InvocationResult
from rehearsal.engine.functions import Functions
from rehearsal.engine.services.dynamodb import TableStreams

ACTING = "lambda.amazonaws.com"
RECORDS_PER_READ = 1000
BATCH_LIMIT_BYTES = 6 * 1024 * 1024
# A stream keeps a record for a day; what is older is gone without a word.
KEPT_S = 24 * 3600.0
# Lambda asks a shard four times a second.
POLL_TAKES_S = 0.25
RETRY_REFUSED_S = 30.0
# How long Lambda waits before a retry is not documented; it grows, so that a day of retries is not a day of steps.
FIRST_RETRY_S, LONGEST_RETRY_S = 1.0, 60.0

Records = list[dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class StreamMapping:
    """One mapping as its template declares it; ``maximum_retries`` and ``maximum_age_s`` are None without a limit."""

    stream_arn: str
    function: str
    batch_size: int
    window_s: float
    from_start: bool
    maximum_retries: int | None
    maximum_age_s: float | None
    bisect: bool
    partial_failures: bool
    on_failure: str


@dataclass(kw_only=True)
class _Batch:
    """Records that go to the function together; ``failures`` counts against the retries, ``invoked`` every try."""

    records: Records
    failures: int = 0
    invoked: int = 0


class TableStreamPoller:
    """Activity: reads records in order, gathers a batch, invokes, and goes on when it succeeded or was given up."""

    def __init__(self, account: Account, mapping: StreamMapping) -> None:
        table = mapping.stream_arn.split("/")[1]
        self.name = f"Event-source mapping {table} → {mapping.function.split(':')[-1]}"
        self.refusals = 0
        self._account, self._mapping = account, mapping
        self._streams = account.service(TableStreams)
        arn = mapping.stream_arn
        self._next = self._streams.first(arn) if mapping.from_start else self._streams.following(arn)
        self._shard_id = ""
        self._gathered: Records = []
        self._bytes = 0
        self._opened = 0.0
        self._batches: deque[_Batch] = deque()
        self._not_before = 0.0
        self._problem = ""

    def due(self) -> float | None:
        """When a record can be read, the window of the gathered batch ends, or a batch is tried (again)."""
        if self._batches or self._full():
            return max(self._opened, self._not_before)
        written = self._streams.written(self._mapping.stream_arn, self._next)
        moments = [] if written is None else [written + POLL_TAKES_S]
        if self._gathered:
            moments.append(self._opened + self._mapping.window_s)
        return max(min(moments), self._not_before) if moments else None

    def step(self) -> None:
        """Read once, or invoke with what is gathered, or with what failed before."""
        try:
            if not self._batches and not self._ready():
                self._read()
            if not self._batches and self._ready():
                self._batches.append(_Batch(records=self._take()))
            if self._batches:
                self._invoke(self._batches[0])
        except (iam.AccessDenied, ClientError) as error:
            self._account.records.happened("poll-refused", self.name, str(error))
            self._stuck(str(error), RETRY_REFUSED_S)

    def waiting(self) -> str:
        """How many records are unread, gathered or failing, and what went wrong last."""
        unread = self._streams.following(self._mapping.stream_arn) - self._next
        held = unread + len(self._gathered) + sum(len(batch.records) for batch in self._batches)
        text = f"{held} records of the stream" if held else ""
        return f"{text}, last problem: {self._problem}" if text and self._problem else text

    def _stuck(self, problem: str, pause_s: float) -> None:
        self.refusals, self._problem = self.refusals + 1, problem
        self._not_before = self._account.clock.time() + pause_s

    def _full(self) -> bool:
        return len(self._gathered) >= self._mapping.batch_size or self._bytes >= BATCH_LIMIT_BYTES

    def _ready(self) -> bool:
        over = self._account.clock.time() >= self._opened + self._mapping.window_s
        return self._full() or (bool(self._gathered) and over)

    def _take(self) -> Records:
        """The gathered records that one event can hold; the rest stays gathered."""
        count, size = 0, 0
        for record in self._gathered:
            size += _size(record)
            if count and size > BATCH_LIMIT_BYTES:
                break
            count += 1
        taken, self._gathered = self._gathered[:count], self._gathered[count:]
        self._bytes = sum(map(_size, self._gathered))
        return taken

    # --- reading --------------------------------------------------------------------------------------

    def _definition(self) -> FunctionDefinition:
        return self._account.service(Functions).find(self._mapping.function)

    def _client(self, service: str) -> Any:
        definition = self._definition()
        return self._account.client_as(
            service, definition.role_arn, acting=ACTING, session=definition.name, source_arn=definition.arn
        )

    def _read(self) -> None:
        client, arn = self._client("dynamodbstreams"), self._mapping.stream_arn
        (shard,) = client.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
        self._shard_id = shard["ShardId"]
        iterator = client.get_shard_iterator(
            StreamArn=arn,
            ShardId=self._shard_id,
            ShardIteratorType="AT_SEQUENCE_NUMBER",
            SequenceNumber=str(self._next),
        )["ShardIterator"]
        limit = min(RECORDS_PER_READ, self._mapping.batch_size - len(self._gathered))
        records = client.get_records(ShardIterator=iterator, Limit=limit)["Records"]
        self.refusals, self._problem = 0, ""
        if not records:
            return
        now = self._account.clock.time()
        self._next = int(records[-1]["dynamodb"]["SequenceNumber"]) + 1
        if not self._gathered:
            self._opened = now
        kept = [_event_record(record, arn) for record in records if now - _written(record) <= KEPT_S]
        self._gathered += kept
        self._bytes += sum(map(_size, kept))

    # --- invoking -------------------------------------------------------------------------------------

    def _invoke(self, batch: _Batch) -> None:
        mapping, records = self._mapping, self._account.records
        self._drop_old(batch)
        if not batch.records:
            self._batches.popleft()
            return
        payload = json.dumps({"Records": batch.records}).encode()
        functions = self._account.service(Functions)
        result = functions.invoke(mapping.function, payload, source=mapping.stream_arn)
        batch.invoked += 1
        if result.throttled:
            self._stuck("the function was throttled", _pause_s(batch.invoked))
            return
        failed_at = _first_failure(batch.records, result, partial_failures=mapping.partial_failures)
        name = self._definition().name
        if failed_at:
            records.happened("batch-processed", mapping.stream_arn, name, count=failed_at)
        if failed_at == len(batch.records):
            self.refusals, self._problem = 0, ""
            self._batches.popleft()
            return
        self._failed(batch, failed_at, result)

    def _failed(self, batch: _Batch, at: int, result: InvocationResult) -> None:
        """Let what follows the first ``at`` records be tried again: divided, if the mapping says so, or as one."""
        mapping = self._mapping
        self._account.records.happened(
            "records-failed", mapping.stream_arn, self._definition().name, count=len(batch.records) - at
        )
        self._not_before = self._account.clock.time() + _pause_s(batch.invoked)
        left = batch.records[at:]
        if mapping.bisect and len(batch.records) > 1:
            # Dividing a batch does not count against its retries; where the function said where it failed, that is
            # the place.
            middle = 0 if at else len(left) // 2
            self._batches.popleft()
            for part in filter(None, (left[middle:], left[:middle])):
                self._batches.appendleft(_Batch(records=part, failures=batch.failures, invoked=batch.invoked))
            return
        batch.records = left
        batch.failures += 1
        if mapping.maximum_retries is None:
            # It may go on for a day: a rehearsal in which nothing else moves ends here.
            self._stuck(result.payload[:500].decode("utf-8", "replace"), _pause_s(batch.invoked))
        elif batch.failures > mapping.maximum_retries:
            self._batches.popleft()
            self._give_up(batch, batch.records, "RetryAttemptsExhausted", result)

    def _drop_old(self, batch: _Batch) -> None:
        now, limit = self._account.clock.time(), self._mapping.maximum_age_s
        ages = [now - record["dynamodb"]["ApproximateCreationDateTime"] for record in batch.records]
        if limit is not None:
            old = [record for record, age in zip(batch.records, ages, strict=True) if age > limit]
            if old:
                batch.records = batch.records[len(old) :]
                self._give_up(batch, old, "RecordAgeExceeded", None)
        elif batch.invoked:
            batch.records = [record for record, age in zip(batch.records, ages, strict=True) if age <= KEPT_S]

    # --- giving up ------------------------------------------------------------------------------------

    def _give_up(self, batch: _Batch, lost: Records, condition: str, result: InvocationResult | None) -> None:
        mapping, records = self._mapping, self._account.records
        records.happened("records-given-up", mapping.stream_arn, condition, count=len(lost))
        if not mapping.on_failure:
            return
        text = json.dumps(self._notice(batch, lost, condition, result))
        account_id, queue = mapping.on_failure.split(":")[4:6]
        url = f"{self._account.endpoint_url}/{account_id}/{queue}"
        try:
            self._client("sqs").send_message(QueueUrl=url, MessageBody=text)
        except (iam.AccessDenied, ClientError) as error:
            records.happened("dead-letter-refused", self._definition().arn, str(error))
        else:
            records.happened("dead-lettered", self._definition().arn, mapping.on_failure)

    def _notice(self, batch: _Batch, lost: Records, condition: str, result: InvocationResult | None) -> dict[str, Any]:
        definition, arn = self._definition(), self._mapping.stream_arn
        runs = self._account.records.invocations if batch.invoked else []
        first, last = lost[0]["dynamodb"], lost[-1]["dynamodb"]
        notice: dict[str, Any] = {
            "requestContext": {
                "requestId": next((run.request_id for run in reversed(runs) if run.source == arn), ""),
                "functionArn": definition.arn,
                "condition": condition,
                "approximateInvokeCount": batch.invoked,
            },
            "version": "1.0",
            "timestamp": _iso(self._account.clock.time()),
            "DDBStreamBatchInfo": {
                "shardId": self._shard_id,
                "startSequenceNumber": first["SequenceNumber"],
                "endSequenceNumber": last["SequenceNumber"],
                "approximateArrivalOfFirstRecord": _iso(first["ApproximateCreationDateTime"]),
                "approximateArrivalOfLastRecord": _iso(last["ApproximateCreationDateTime"]),
                "batchSize": len(lost),
                "streamArn": arn,
            },
        }
        if result is not None:
            response = {"statusCode": 200, "executedVersion": definition.version}
            notice["responseContext"] = {**response, "functionError": result.error} if result.error else response
        return notice


def _pause_s(tries: int) -> float:
    pause: float = FIRST_RETRY_S * 2 ** min(tries - 1, 10)
    return min(pause, LONGEST_RETRY_S)


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _written(record: dict[str, Any]) -> float:
    moment: datetime = record["dynamodb"]["ApproximateCreationDateTime"]
    return moment.timestamp()


def _event_record(record: dict[str, Any], stream_arn: str) -> dict[str, Any]:
    """A record as the function gets it: times as seconds, bytes as base64."""
    change = {**_plain(record["dynamodb"]), "ApproximateCreationDateTime": int(_written(record))}
    return {**record, "dynamodb": change, "eventSourceARN": stream_arn}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, set)):
        return [_plain(inner) for inner in value]
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


def _size(record: dict[str, Any]) -> int:
    return len(json.dumps(record).encode()) + 2


def _first_failure(records: Records, result: InvocationResult, *, partial_failures: bool) -> int:
    """How many records from the first on are done: all, none, or those before the lowest number reported.

    An answer that cannot be read, or names a record that is not in the batch, counts as a failure of all.
    """
    if not result.ok:
        return 0
    if not partial_failures:
        return len(records)
    try:
        answer = json.loads(result.payload or b"null")
    except ValueError:
        return 0
    if answer is not None and not isinstance(answer, dict):
        return 0
    failures = (answer or {}).get("batchItemFailures") or []
    if not isinstance(failures, list):
        return 0
    numbers = [record["dynamodb"]["SequenceNumber"] for record in records]
    reported = [one.get("itemIdentifier") if isinstance(one, dict) else None for one in failures]
    if not all(one in numbers for one in reported):
        return 0
    return min((numbers.index(one) for one in reported), default=len(records))
