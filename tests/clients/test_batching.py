"""When a record is sealed, and what it saves."""

from __future__ import annotations

import pytest

from clients.amp_events.batching import Batcher
from clients.amp_events.limits import Limits
from clients.amp_events.stats import billed_bytes


def _batcher(**limits: int) -> Batcher:
    return Batcher(Limits(**limits))


def test_a_record_is_sealed_before_it_grows_beyond_its_size() -> None:
    batcher = _batcher(record_bytes=100)
    sealed = [record for _ in range(10) for record in batcher.add(b"x" * 30, lane=None, now=0)]
    # Three lines and the newlines between them are 92 bytes; a fourth would not fit.
    assert [len(record.data) for record in sealed] == [92, 92, 92]
    assert [record.size for record in sealed] == [92, 92, 92]
    assert [len(record.lines) for record in batcher.seal_all()] == [1]


def test_a_line_beyond_the_size_travels_alone_and_at_once() -> None:
    batcher = _batcher(record_bytes=100)
    assert batcher.add(b"small", lane=None, now=0) == []
    first, second = batcher.add(b"x" * 150, lane=None, now=0)
    assert (first.lines, second.lines) == ([b"small"], [b"x" * 150])


def test_a_record_holds_no_more_lines_than_firehose_takes_out_of_it() -> None:
    batcher = _batcher(record_bytes=100_000)
    sealed = [record for _ in range(501) for record in batcher.add(b"{}", lane=None, now=0)]
    assert [len(record.lines) for record in sealed] == [500]


def test_a_record_is_sealed_at_its_age_counted_from_its_first_line() -> None:
    batcher = _batcher(linger_ms=200)
    batcher.add(b"first", lane=None, now=10.0)
    batcher.add(b"second", lane=None, now=10.15)
    assert batcher.deadline() == pytest.approx(10.2)
    assert batcher.due(10.199) == []
    assert [record.lines for record in batcher.due(10.2)] == [[b"first", b"second"]]
    assert batcher.deadline() is None


def test_lanes_do_not_share_records_and_the_oldest_falls_due_first() -> None:
    batcher = _batcher(linger_ms=1_000, record_bytes=10)
    batcher.add(b"a1", lane=1, now=0.0)
    batcher.add(b"b1", lane=2, now=0.5)
    (sealed,) = batcher.add(b"a2 is long", lane=1, now=0.6)[:1]
    assert sealed.lines == [b"a1"]
    assert batcher.deadline() == pytest.approx(1.5)
    assert [record.lane for record in batcher.due(1.55)] == [2]


def test_the_saving_is_the_steps_of_its_events_less_its_own() -> None:
    batcher = _batcher()
    for _ in range(10):
        batcher.add(b"x" * 450, lane=None, now=0)
    (record,) = batcher.seal_all()
    assert record.bytes_saved == 10 * 5_120 - 5_120
    assert [billed_bytes(size) for size in (1, 5_120, 5_121, 25_000)] == [5_120, 5_120, 10_240, 25_600]


@pytest.mark.parametrize(
    "limits", [{"record_bytes": 0}, {"record_bytes": 2**20}, {"linger_ms": -1}, {"max_attempts": 0}]
)
def test_limits_that_cannot_work_are_refused_by_name(limits: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=next(iter(limits))):
        Limits(**limits)
