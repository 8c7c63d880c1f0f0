"""What the next call carries, and what a refusal means."""

from __future__ import annotations

from clients.amp_events.batching import Record
from clients.amp_events.limits import Limits
from clients.amp_events.outbox import Outbox


def _record(size: int = 10, lane: int | None = None) -> Record:
    return Record(lane=lane, opened_at=0, lines=[b"x" * size], size=size)


def _outbox(*records: Record, **limits: int) -> Outbox:
    outbox = Outbox(Limits(**limits), jitter=lambda _, high: high)
    outbox.extend(records)
    return outbox


def test_a_call_carries_at_most_500_records_and_5_mebibytes() -> None:
    assert len(_outbox(*(_record() for _ in range(501))).take(0)) == 500
    large = [_record(1_000_000) for _ in range(6)]
    assert _outbox(*large).take(0) == large[:5]


def test_refused_records_are_sent_again_alone_and_wait_twice_as_long_each_time() -> None:
    good, bad = _record(), _record()
    outbox = _outbox(good, bad, backoff_ms=100, max_backoff_ms=300)
    sent, given_up = outbox.settle(outbox.take(0), ["", "Throttled"], now=1.0)
    assert (sent, given_up) == ([good], [])
    waits = []
    now = 1.0
    for _ in range(3):
        wake_at = outbox.wake_at()
        assert wake_at is not None
        assert outbox.take(wake_at - 0.001) == []
        waits.append(round(wake_at - now, 3))
        now = wake_at
        assert outbox.take(now) == [bad]
        outbox.settle([bad], ["Throttled"], now=now)
    assert waits == [0.1, 0.2, 0.3]


def test_others_travel_while_a_refused_record_waits() -> None:
    bad, other = _record(), _record()
    outbox = _outbox(bad)
    outbox.settle(outbox.take(0), ["Throttled"], now=0)
    outbox.extend([other])
    assert outbox.take(0) == [other]


def test_a_record_is_given_up_after_its_attempts_with_the_last_error() -> None:
    record = _record()
    outbox = _outbox(record, max_attempts=2, backoff_ms=0)
    assert outbox.settle(outbox.take(0), ["First"], now=0) == ([], [])
    assert outbox.settle(outbox.take(0), ["Second"], now=0) == ([], [record])
    assert (record.settled, record.error, len(outbox)) == (True, "Second", 0)


def test_after_a_failed_call_nothing_travels_for_a_while_and_longer_each_time() -> None:
    record, other = _record(), _record()
    outbox = _outbox(record, other, backoff_ms=100)
    outbox.fail(outbox.take(0), "Timeout", now=0)
    assert (outbox.take(0.099), outbox.wake_at()) == ([], 0.1)
    outbox.fail(outbox.take(0.1), "Timeout", now=0.1)
    assert (outbox.take(0.29), outbox.take(0.31)) == ([], [record, other])
    outbox.settle([record, other], ["", ""], now=0.4)
    outbox.extend([third := _record()])
    outbox.fail(outbox.take(1), "Timeout", now=1)
    assert outbox.take(1.1) == [third]


def test_of_a_lane_one_record_travels_at_a_time_and_none_overtakes() -> None:
    first, second, other = _record(lane=1), _record(lane=1), _record(lane=2)
    outbox = _outbox(first, second, other)
    assert outbox.take(0) == [first, other]
    outbox.settle([first, other], ["Throttled", ""], now=0)
    assert outbox.take(0) == []
    assert outbox.take(1) == [first]
    outbox.settle([first], [""], now=1)
    assert outbox.take(1) == [second]


def test_what_was_abandoned_while_its_call_was_under_way_is_settled_once() -> None:
    record = _record()
    outbox = _outbox(record)
    under_way = outbox.take(0)
    assert outbox.abandon() == [record]
    assert outbox.settle(under_way, [""], now=1) == ([], [])
