"""Put records on the event stream at a bounded rate, refused entries again and alone; it chooses no record."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from operations.platform import OperationsError

MAX_RECORDS = 500
MAX_BYTES = 5_000_000
"""Per PutRecords call; the service takes up to 10 MiB, and smaller calls are throttled less (PutRecords API)."""
MAX_RECORD_BYTES = 1_000 * 1024
"""What Firehose takes as one record ("Amazon Data Firehose quota" page)."""

_ATTEMPTS = 8
_LONGEST_WAIT_S = 20.0
_UNREACHABLE = "Unreachable"
_MAY_PASS = (
    "ProvisionedThroughputExceededException",
    "InternalFailure",
    "KMSThrottlingException",
    "LimitExceededException",
    "ServiceUnavailable",
    "Throttl",
    _UNREACHABLE,
)
"""How the errors begin that go away by themselves (PutRecords API); others do not, however often one asks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Put:
    """A record to put, and the line of its object that it answers for."""

    line: int
    data: bytes
    partition_key: str


class RefusedError(OperationsError):
    """The stream refused records however often they were put; `accepted` are the lines that it took before."""

    def __init__(self, sentence: str, accepted: tuple[int, ...]) -> None:
        super().__init__(sentence)
        self.accepted = accepted


class StreamWriter:
    """Puts at most ``records_per_second`` on a stream, on average and in steps of one call."""

    def __init__(
        self,
        kinesis: Any,
        stream_arn: str,
        *,
        records_per_second: float,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._kinesis, self._stream_arn = kinesis, stream_arn
        self._rate, self._sleep = records_per_second, sleep
        self._not_before = time.monotonic()

    @property
    def batch_records(self) -> int:
        """Records that one call takes: a second's worth, within the service's limit."""
        return max(1, min(MAX_RECORDS, int(self._rate)))

    def put(self, records: Sequence[Put]) -> None:
        """Put records, in as many calls as they need.

        Raises:
            RefusedError: some are not on the stream.
        """
        taken: list[int] = []
        for call in _calls(records, self.batch_records):
            self._call(call, taken)
            taken += [record.line for record in call]

    def _call(self, records: list[Put], taken: list[int]) -> None:
        self._wait(len(records))
        waiting = records
        problem = ""
        for attempt in range(_ATTEMPTS):
            if attempt:
                self._sleep(random.uniform(0.1, min(_LONGEST_WAIT_S, 0.2 * 2**attempt)))  # noqa: S311 - jitter
            waiting, problem = self._put(waiting)
            if not waiting:
                return
            if problem and not problem.startswith(_MAY_PASS):
                break
        refused = {record.line for record in waiting}
        accepted = {*taken, *(record.line for record in records)} - refused
        raise RefusedError(
            f"The stream refused {len(waiting)} of {len(records)} records: {problem}; allowed: what its "
            "capacity and its key take, from who may put; fix: see the runbook of a throttled stream, then --resume.",
            tuple(sorted(accepted)),
        )

    def _put(self, records: list[Put]) -> tuple[list[Put], str]:
        entries = [{"Data": record.data, "PartitionKey": record.partition_key} for record in records]
        try:
            answers = self._kinesis.put_records(StreamARN=self._stream_arn, Records=entries)["Records"]
        except ClientError as error:
            return records, f"{error.response['Error'].get('Code')}: {error.response['Error'].get('Message')}"
        except BotoCoreError as error:
            return records, f"{_UNREACHABLE}: {error}"
        refused = [(one, answer) for one, answer in zip(records, answers, strict=True) if answer.get("ErrorCode")]
        return [one for one, _ in refused], refused[0][1]["ErrorCode"] if refused else ""

    def _wait(self, count: int) -> None:
        now = time.monotonic()
        if now < self._not_before:
            self._sleep(self._not_before - now)
        self._not_before = max(now, self._not_before) + count / self._rate


def _calls(records: Sequence[Put], most: int) -> Iterator[list[Put]]:
    call: list[Put] = []
    size = 0
    for record in records:
        weight = len(record.data) + len(record.partition_key)
        if call and (len(call) == most or size + weight > MAX_BYTES):
            yield call
            call, size = [], 0
        call.append(record)
        size += weight
    if call:
        yield call
