"""How entries get onto the stream, and which of them do not."""

from __future__ import annotations

import threading
import time
from collections import Counter
from typing import Any

import pytest

from lambdas.ingest_show_catalog.entry import Entry
from lambdas.ingest_show_catalog.stream import MAX_BYTES_PER_CALL, EntryStream


class FakeKinesis:
    """Takes entries, but refuses a partition key as often as `refusals` says."""

    def __init__(self, refusals: dict[str, int] | None = None) -> None:
        self.refusals = Counter(refusals or {})
        self.calls: list[list[str]] = []
        self.taken: list[bytes] = []

    def put_records(self, *, StreamName: str, Records: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        assert StreamName == "events"
        self.calls.append([record["PartitionKey"] for record in Records])
        answers = []
        for record in Records:
            if self.refusals[record["PartitionKey"]] > 0:
                self.refusals[record["PartitionKey"]] -= 1
                answers.append({"ErrorCode": "ProvisionedThroughputExceededException", "ErrorMessage": "slow down"})
            else:
                self.taken.append(record["Data"])
                answers.append({"SequenceNumber": "1", "ShardId": "0"})
        return {"Records": answers}


class BrokenKinesis:
    def put_records(self, **_: object) -> dict[str, Any]:
        raise ConnectionError("arn:aws:kinesis")


@pytest.fixture(autouse=True)
def naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    asked: list[float] = []
    own, sleep = threading.get_ident(), time.sleep
    # Threads that other tests of this process left running sleep as they do.
    monkeypatch.setattr(time, "sleep", lambda s: asked.append(s) if threading.get_ident() == own else sleep(s))
    return asked


def _entry(show_id: str, *, size: int = 10) -> Entry:
    line = show_id.encode().ljust(size)
    return Entry(show_id=show_id, event_id="e", line=line, missing_optional_columns=0, unknown_fields=0)


def _put(kinesis: object, *entries: Entry, remaining: float = 60.0) -> tuple[dict[str, str], Counter[str]]:
    stream = EntryStream(
        kinesis=kinesis,  # type: ignore[arg-type]
        stream_name="events",
        max_attempts=3,
        backoff_seconds=0.4,
    )
    counts: Counter[str] = Counter()
    return stream.put(entries, remaining_seconds=lambda: remaining, counts=counts), counts


def test_entries_go_in_one_call_with_their_show_as_partition_key() -> None:
    kinesis = FakeKinesis()
    refused, counts = _put(kinesis, _entry("a"), _entry("b"))
    assert kinesis.calls == [["a", "b"]]
    assert refused == {}
    assert counts["ShowsPublished"] == 2


def test_refused_entries_are_put_again_alone(naps: list[float]) -> None:
    kinesis = FakeKinesis({"b": 2})
    refused, counts = _put(kinesis, _entry("a"), _entry("b"), _entry("c"))
    assert kinesis.calls == [["a", "b", "c"], ["b"], ["b"]]
    assert refused == {}
    assert counts == {"ShowsPublished": 3, "RefusedEntries": 2}
    assert len(naps) == 2
    assert naps[0] <= 0.4
    assert naps[1] <= 0.8


def test_what_stays_refused_is_told_with_its_code_and_the_rest_is_published() -> None:
    kinesis = FakeKinesis({"b": 99})
    refused, counts = _put(kinesis, _entry("a"), _entry("b"))
    assert list(refused) == ["b"]
    assert "ProvisionedThroughputExceededException" in refused["b"]
    assert len(kinesis.calls) == 3
    assert counts == {"ShowsPublished": 1, "RefusedEntries": 3}


def test_no_wait_goes_beyond_the_invocation(naps: list[float]) -> None:
    refused, _ = _put(FakeKinesis({"a": 99}), _entry("a"), remaining=-1.0)
    assert list(refused) == ["a"]
    assert naps == []


def test_a_call_that_fails_refuses_its_entries_and_raises_nothing() -> None:
    refused, counts = _put(BrokenKinesis(), _entry("a"), _entry("b"))
    assert set(refused) == {"a", "b"}
    assert "ConnectionError" in refused["a"]
    assert "arn" not in refused["a"]
    assert counts["ShowsPublished"] == 0


def test_a_call_takes_at_most_500_entries() -> None:
    kinesis = FakeKinesis()
    _put(kinesis, *[_entry(str(number)) for number in range(1001)])
    assert [len(call) for call in kinesis.calls] == [500, 500, 1]


def test_a_call_takes_at_most_its_bytes() -> None:
    kinesis = FakeKinesis()
    half = MAX_BYTES_PER_CALL // 2
    _put(kinesis, _entry("a", size=half - 1), _entry("b", size=half - 1), _entry("c"))
    assert kinesis.calls == [["a", "b"], ["c"]]
