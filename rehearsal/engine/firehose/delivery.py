"""The activity of one delivery stream: read, transform, partition, buffer, write; nothing is lost on the way.

Order: Amazon Data Firehose Developer Guide, "Dynamic partitioning of aggregated data": de-aggregation, then the
function, then partition keys.
"""

from __future__ import annotations

import gzip
import json
import uuid
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass

from botocore.exceptions import ClientError

from rehearsal.engine import iam
from rehearsal.engine.account import Account
from rehearsal.engine.firehose.buffers import Buffers, TooManyPartitions
from rehearsal.engine.firehose.configuration import DeliveryStream, Transform
from rehearsal.engine.firehose.records import Failed, StreamRecord, Transformed, take_apart
from rehearsal.engine.firehose.source import ACTING, Source
from rehearsal.engine.firehose.transform import REQUEST_LIMIT_BYTES, Problem, event, event_size, read_answer
from rehearsal.engine.functions import Functions

RETRY_REFUSED_S = 30.0
RETRY_FUNCTION_S = 1.0
PROCESSING_FAILED = "processing-failed"


@dataclass(kw_only=True)
class _Attempt:
    records: Sequence[StreamRecord]
    attempts: int
    due: float


class Delivery:
    """Activity of one delivery stream."""

    def __init__(self, account: Account, config: DeliveryStream) -> None:
        self.name = f"Delivery stream {config.name}"
        self.refusals = 0
        self._account, self._config = account, config
        self._source = Source(account, config)
        self._queue: deque[StreamRecord] = deque()
        self._queued_bytes = 0
        self._queue_opened = 0.0
        self._again: _Attempt | None = None
        self._buffers = Buffers(limit_bytes=config.buffer_bytes, interval_s=config.buffer_s)
        self._read_not_before = self._write_not_before = 0.0
        self._problem = ""
        self._failures: Counter[str] = Counter()

    def due(self) -> float | None:
        """The earliest of: a read, an invocation, a write."""
        moments = [self._read_due(), self._transform_due(), self._write_due()]
        return min((moment for moment in moments if moment is not None), default=None)

    def step(self) -> None:
        """Do the one of the three that is due first."""
        steps = [
            (self._transform_due(), self._transform),
            (self._write_due(), self._write),
            (self._read_due(), self._read),
        ]
        due = [(moment, number) for number, (moment, _) in enumerate(steps) if moment is not None]
        if due:
            steps[min(due)[1]][1]()
        for code, count in self._failures.items():
            self._account.records.happened("records-failed", self._config.name, code, count=count)
        self._failures.clear()

    def waiting(self) -> str:
        """What is still on its way to S3, and what was refused last."""
        held = [
            f"{len(self._queue)} records before the function" if self._queue else "",
            f"{len(self._again.records)} records to be tried again" if self._again else "",
            f"{sum(len(b.lines) for b in self._buffers)} records in {len(self._buffers)} buffers"
            if len(self._buffers)
            else "",
            "unread records on the stream" if self._source.due() is not None else "",
        ]
        text = ", ".join(part for part in held if part)
        return f"{text}; last refusal: {self._problem}" if text and self._problem else text

    # --- reading --------------------------------------------------------------------------------------

    def _read_due(self) -> float | None:
        due = self._source.due()
        return None if due is None else max(due, self._read_not_before)

    def _read(self) -> None:
        try:
            found = self._source.read()
        except (ClientError, iam.AccessDenied) as error:
            self._read_not_before = self._refused("read", error)
            return
        self._accepted()
        now = self._account.clock.time()
        for shard, record in found:
            for one in take_apart(record, shard, self._config):
                if isinstance(one, Failed):
                    self._fail(one, now)
                elif self._config.transform is None:
                    self._partition(Transformed(data=one.data, arrival=one.arrival, keys={}, source=one), now)
                else:
                    if not self._queue:
                        self._queue_opened = now
                    self._queue.append(one)
                    self._queued_bytes += one.size
        self._account.records.happened("records-read", self._config.name, self._config.source_arn, count=len(found))

    # --- the function ---------------------------------------------------------------------------------

    def _transform_due(self) -> float | None:
        if self._again is not None:
            return self._again.due
        transform = self._config.transform
        if not self._queue or transform is None:
            return None
        if self._queued_bytes >= transform.buffer_bytes:
            return self._queue_opened
        return self._queue_opened + transform.buffer_s

    def _transform(self) -> None:
        transform = self._config.transform
        if transform is None:
            return
        attempt = self._again or _Attempt(records=self._next_batch(transform), attempts=0, due=0.0)
        self._again = None
        attempt.attempts += 1
        outcome = self._invoke(transform, attempt.records)
        now = self._account.clock.time()
        if not isinstance(outcome, Problem):
            answer = read_answer(
                outcome,
                attempt.records,
                lambda_arn=transform.function_arn,
                ended=self._account.clock.now(),
                needs_keys=self._config.partitioned,
                attempts=attempt.attempts,
            )
            if not isinstance(answer, Problem):
                for passed in answer.passed:
                    self._partition(passed, now)
                for failed in answer.failed:
                    self._fail(failed, now)
                count = len(attempt.records) - len(answer.failed)
                self._measured("SucceedProcessing.Records", count)
                if answer.dropped:
                    self._account.records.happened(
                        "records-dropped", self._config.name, transform.function_arn, count=answer.dropped
                    )
                return
            outcome = answer
        self._log(outcome.code, outcome.message, transform.function_arn)
        if outcome.retry and attempt.attempts <= transform.retries:
            attempt.due = now + RETRY_FUNCTION_S
            self._again = attempt
            return
        for record in attempt.records:
            failed = Failed(
                kind=PROCESSING_FAILED,
                record=record,
                code=outcome.code,
                message=outcome.message,
                attempts=attempt.attempts,
                ended=self._account.clock.now(),
                lambda_arn=transform.function_arn,
            )
            self._fail(failed, now)

    def _next_batch(self, transform: Transform) -> list[StreamRecord]:
        batch: list[StreamRecord] = []
        size = request = 0
        while self._queue:
            record = self._queue[0]
            full = size + record.size > transform.buffer_bytes or request + event_size(record) > REQUEST_LIMIT_BYTES
            if batch and full:
                break
            batch.append(self._queue.popleft())
            size += record.size
            request += event_size(record)
        self._queued_bytes -= size
        self._queue_opened = self._account.clock.time() if self._queue else 0.0
        return batch

    def _invoke(self, transform: Transform, records: Sequence[StreamRecord]) -> bytes | Problem:
        account, config = self._account, self._config
        try:
            # A client is what assumes the role; the call itself is decided here and made without the wire.
            account.client_as(
                "lambda", transform.role_arn, acting=ACTING, session=config.name[:64], source_arn=config.arn
            )
            needs = account.authorizer.needs_of("lambda", "Invoke", {"FunctionName": transform.function_arn})
            account.authorizer.authorize(self._principal(transform.role_arn), needs)
        except iam.AccessDenied as error:
            self._account.records.happened("invocation-refused", config.name, str(error))
            self._problem = str(error)
            return Problem(code="Lambda.InvokeAccessDenied", message=f"Access was denied: {error}")
        payload = event(
            records,
            invocation_id=str(uuid.uuid4()),
            stream_arn=config.arn,
            source_arn=config.source_arn,
            region=account.region,
        )
        result = account.service(Functions).invoke(transform.function_arn, payload, source=config.arn)
        if result.ok:
            return result.payload
        if result.throttled:
            return Problem(code="Lambda.InvokeLimitExceeded", message="Lambda function invocation limit was exceeded.")
        if result.too_large:
            return Problem(code="Lambda.InvalidRequest", message=result.payload.decode("utf-8", "replace"))
        return Problem(
            code="Lambda.FunctionError",
            message="The Lambda function was successfully invoked but it returned an error result.",
        )

    def _principal(self, role_arn: str) -> iam.Principal:
        return iam.Principal(arn=role_arn, kind="role", session=self._config.name[:64])

    # --- partitions and buffers -----------------------------------------------------------------------

    def _partition(self, record: Transformed, now: float) -> None:
        config = self._config
        missing = [key for key in config.prefix.keys if not record.keys.get(key)]
        if missing:
            text = f"partition key {missing[0]!r} is missing in the answer of the function"
            self._fail(self._partition_failure(record, "DynamicPartitioning.MetadataExtractionFailed", text), now)
            return
        keys = {key: str(record.keys[key]) for key in config.prefix.keys}
        try:
            self._buffers.add(record.data + config.append, arrival=record.arrival, now=now, keys=keys)
        except TooManyPartitions:
            text = "the number of active partitions has reached its limit"
            failure = self._partition_failure(
                record, "DynamicPartitioning.ActivePartitionsLimitExceeded", text, kind="activePartitionExceeded"
            )
            self._fail(failure, now)

    def _partition_failure(self, record: Transformed, code: str, text: str, kind: str = PROCESSING_FAILED) -> Failed:
        ended = self._account.clock.now()
        return Failed(kind=kind, record=record.source, code=code, message=text, attempts=1, ended=ended)

    def _fail(self, failed: Failed, now: float) -> None:
        self._buffers.add(failed.line(), arrival=failed.record.arrival, now=now, keys={}, error_type=failed.kind)
        self._failures[failed.code] += 1

    # --- writing --------------------------------------------------------------------------------------

    def _write_due(self) -> float | None:
        due = self._buffers.next_due()
        return None if due is None else max(due, self._write_not_before)

    def _write(self) -> None:
        buffer = self._buffers.first_due(self._account.clock.time())
        if buffer is None:
            return
        config, account = self._config, self._account
        prefix = config.error_prefix if buffer.error_type else config.prefix
        folder = prefix.render(buffer.oldest, keys=buffer.keys, error_type=buffer.error_type)
        stamp = prefix.local(account.clock.now()).strftime("%Y-%m-%d-%H-%M-%S")
        key = f"{folder}{config.name}-1-{stamp}-{uuid.uuid4()}{config.extension}"
        body = b"".join(buffer.lines)
        try:
            client = account.client_as(
                "s3", config.role_arn, acting=ACTING, session=config.name[:64], source_arn=config.arn
            )
            content = gzip.compress(body, 6, mtime=0) if config.compressed else body
            client.put_object(Bucket=config.bucket, Key=key, Body=content)
        except (ClientError, iam.AccessDenied) as error:
            self._write_not_before = self._refused("write", error)
            self._log("S3.AccessDenied", str(error), f"arn:aws:s3:::{config.bucket}")
            self._measured("DeliveryToS3.Success", 0)
            return
        self._accepted()
        self._buffers.remove(buffer)
        kind = "error-object-written" if buffer.error_type else "object-written"
        account.records.happened(kind, config.name, key, count=len(buffer.lines), size=len(content))
        if not buffer.error_type:
            self._measured("DeliveryToS3.Records", len(buffer.lines))
            self._measured("DeliveryToS3.Bytes", len(body), unit="Bytes")
            self._measured("DeliveryToS3.Success", 1)
            age = account.clock.time() - buffer.oldest.timestamp()
            self._measured("DeliveryToS3.DataFreshness", age, unit="Seconds")

    # --- what is told ---------------------------------------------------------------------------------

    def _accepted(self) -> None:
        self.refusals, self._problem = 0, ""

    def _refused(self, what: str, error: Exception) -> float:
        self.refusals += 1
        self._problem = str(error)
        self._account.records.happened(f"{what}-refused", self._config.name, str(error))
        return self._account.clock.time() + RETRY_REFUSED_S

    def _measured(self, name: str, value: float, unit: str = "Count") -> None:
        self._account.records.measured("AWS/Firehose", name, value, unit=unit, DeliveryStreamName=self._config.name)

    def _log(self, code: str, message: str, processor: str) -> None:
        config, account = self._config, self._account
        if not config.log_group:
            return
        line = {
            "deliveryStreamARN": config.arn,
            "destination": f"arn:aws:s3:::{config.bucket}",
            "deliveryStreamVersionId": 1,
            "message": message,
            "errorCode": code,
            "processor": processor,
        }
        try:
            client = account.client_as(
                "logs", config.role_arn, acting=ACTING, session=config.name[:64], source_arn=config.arn
            )
            client.put_log_events(
                logGroupName=config.log_group,
                logStreamName=config.log_stream,
                logEvents=[{"timestamp": int(account.clock.time() * 1000), "message": json.dumps(line)}],
            )
        except (ClientError, iam.AccessDenied) as error:
            account.records.happened("log-lines-lost", config.name, str(error))
