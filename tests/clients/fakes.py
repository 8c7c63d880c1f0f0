"""A Kinesis that behaves as a test asks, and events for it; asserts nothing."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

THROTTLED = "ProvisionedThroughputExceededException"


class ServiceError(Exception):
    """What a boto3 client raises, as far as the producer looks at it."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.response = {"Error": {"Code": code}}


class FakeKinesis:
    """Keeps what it takes. `refuse` is asked for each entry whether it is refused; `fail` may raise for a whole call.

    All get the number of the call, from 0. A call is counted, and its entries kept, before `lose_answer` raises.
    """

    def __init__(
        self,
        *,
        refuse: Callable[[int], bool] = lambda _: False,
        fail: Callable[[int], None] = lambda _: None,
        lose_answer: Callable[[int], None] = lambda _: None,
    ) -> None:
        self.calls: list[dict[str, Any]] = []
        self.records: list[dict[str, Any]] = []
        self._refuse, self._fail, self._lose_answer = refuse, fail, lose_answer

    def put_records(self, **arguments: Any) -> dict[str, Any]:
        number = len(self.calls)
        entries = arguments["Records"]
        assert 0 < len(entries) <= 500
        assert sum(len(entry["Data"]) + len(entry["PartitionKey"]) for entry in entries) <= 5 * 2**20
        self.calls.append(arguments)
        self._fail(number)
        answers: list[dict[str, str]] = []
        for entry in entries:
            if self._refuse(number):
                answers.append({"ErrorCode": THROTTLED, "ErrorMessage": "slow down"})
            else:
                self.records.append(entry)
                answers.append({"SequenceNumber": str(len(self.records)), "ShardId": "shardId-000000000000"})
        self._lose_answer(number)
        return {"Records": answers}

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for record in self.records for line in record["Data"].split(b"\n")]

    @property
    def ids(self) -> list[str]:
        return [event["event_id"] for event in self.events]


class Gate:
    """Holds calls until it is opened."""

    def __init__(self) -> None:
        self.reached, self._open = threading.Event(), threading.Event()

    def __call__(self, call: int) -> None:
        self.reached.set()
        assert self._open.wait(20)

    def open(self) -> None:
        self._open.set()


def raising(code: str, *, calls: range) -> Callable[[int], None]:
    """Fail these calls as a whole."""

    def fail(call: int) -> None:
        if call in calls:
            raise ServiceError(code)

    return fail


def like(name: object, *, show: str = "show-1") -> dict[str, object]:
    """A small valid event."""
    return {"event_type": "like", "event_id": str(name), "occurred_at": 1_794_998_400_123, "show": {"id": show}}
