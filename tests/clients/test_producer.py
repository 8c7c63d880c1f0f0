"""The producer as a whole, against a fake stream: nothing lost, nothing doubled, everything counted."""

from __future__ import annotations

import json
import logging
import random
import threading
import time
from collections import Counter, defaultdict

import pytest

from clients.amp_events import BufferFull, EventProducer, InvalidEvent, Limits, ProducerClosed, Unsent, WhenFull
from tests.clients.fakes import THROTTLED, FakeKinesis, Gate, like, raising

QUICK = Limits(linger_ms=20, backoff_ms=1, max_backoff_ms=5, record_bytes=2_000)


def _balanced(producer: EventProducer) -> bool:
    counts = producer.stats()
    return counts.accepted == counts.sent + counts.given_up + counts.unsent + counts.waiting


def test_what_eight_threads_put_arrives_once_each_through_refusals_and_throttled_calls() -> None:
    dice = random.Random(7)  # noqa: S311 - chance that repeats
    kinesis = FakeKinesis(
        refuse=lambda _: dice.random() < 0.2, fail=raising("LimitExceededException", calls=range(2, 40, 9))
    )
    producer = EventProducer("events", kinesis=kinesis, limits=QUICK)

    def work(worker: int) -> None:
        for number in range(1_250):
            producer.put(like(f"{worker}-{number}"))

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert producer.close() == 0
    assert Counter(kinesis.ids) == Counter(f"{worker}-{number}" for worker in range(8) for number in range(1_250))
    counts = producer.stats()
    assert (counts.accepted, counts.sent, counts.waiting, counts.given_up) == (10_000, 10_000, 0, 0)
    assert counts.retried > 0
    assert counts.records == len(kinesis.records)
    assert counts.bytes == sum(len(record["Data"]) for record in kinesis.records)
    assert counts.bytes_saved > 0.8 * 10_000 * 5_120


def test_a_record_goes_at_its_age_without_a_flush() -> None:
    kinesis = FakeKinesis()
    with EventProducer("events", kinesis=kinesis, limits=Limits(linger_ms=50)) as producer:
        for first, second in (("a", "b"), ("after", "a pause")):
            producer.put(like(first))
            producer.put(like(second))
            until = time.monotonic() + 5
            while producer.stats().waiting and time.monotonic() < until:
                time.sleep(0.005)
            assert kinesis.ids[-2:] == [first, second]
        assert len(kinesis.calls) == 2


def test_the_stream_is_named_by_name_or_arn() -> None:
    for stream, parameter in (("events", "StreamName"), ("arn:aws:kinesis:eu-west-1:1:stream/events", "StreamARN")):
        kinesis = FakeKinesis()
        with EventProducer(stream, kinesis=kinesis) as producer:
            producer.put(like("a"))
        assert kinesis.calls[0][parameter] == stream
    with pytest.raises(ValueError, match="stream is empty"):
        EventProducer("", kinesis=FakeKinesis())


def test_records_spread_over_partition_keys_and_a_refused_one_tries_another() -> None:
    kinesis = FakeKinesis(refuse=lambda call: call == 0)
    with EventProducer("events", kinesis=kinesis, limits=QUICK) as producer:
        for number in range(300):
            producer.put(like(number))
    keys = [entry["PartitionKey"] for call in kinesis.calls for entry in call["Records"]]
    assert len(set(keys)) == len(keys) > 10


def test_events_of_a_key_arrive_in_order_through_refusals() -> None:
    dice = random.Random(11)  # noqa: S311 - chance that repeats
    kinesis = FakeKinesis(refuse=lambda _: dice.random() < 0.4, fail=raising(THROTTLED, calls=range(3, 60, 7)))
    with EventProducer(
        "events",
        kinesis=kinesis,
        limits=QUICK,
        key=lambda event: event["show"]["id"],  # type: ignore[index]
    ) as producer:
        for number in range(2_000):
            producer.put(like(number, show=f"show-{number % 30}"))
    assert producer.stats().retried > 0
    arrived: dict[str, list[int]] = defaultdict(list)
    key_of: dict[str, set[str]] = defaultdict(set)
    for record in kinesis.records:
        for event in map(json.loads, record["Data"].split(b"\n")):
            arrived[event["show"]["id"]].append(int(event["event_id"]))
            key_of[event["show"]["id"]].add(record["PartitionKey"])
    assert sum(map(len, arrived.values())) == 2_000
    assert all(numbers == sorted(numbers) for numbers in arrived.values())
    assert {len(keys) for keys in key_of.values()} == {1}


def test_a_call_that_was_taken_but_not_answered_is_repeated_and_its_events_keep_their_ids() -> None:
    kinesis = FakeKinesis(lose_answer=raising("ReadTimeout", calls=range(1)))
    with EventProducer("events", kinesis=kinesis, limits=QUICK) as producer:
        producer.put({key: value for key, value in like("a").items() if key != "event_id"})
    assert len(kinesis.ids) == 2
    assert len(set(kinesis.ids)) == 1
    assert producer.stats().sent == 1


def test_events_are_given_up_after_their_attempts_and_handed_back() -> None:
    handed: list[Unsent] = []
    kinesis = FakeKinesis(refuse=lambda _: True)
    limits = Limits(linger_ms=1, backoff_ms=0, max_attempts=3)
    with EventProducer("events", kinesis=kinesis, limits=limits, on_failure=handed.append) as producer:
        for number in range(5):
            producer.put(like(number))
        assert producer.flush(5) == 0
        assert producer.stats().given_up == 5
    assert sum(len(unsent.lines) for unsent in handed) == 5
    assert {(unsent.reason, unsent.attempts) for unsent in handed} == {(THROTTLED, 3)}
    assert _balanced(producer)


def test_a_failing_callback_does_not_stop_the_producer() -> None:
    def callback(_: Unsent) -> None:
        raise RuntimeError("the application's fault")

    kinesis = FakeKinesis(refuse=lambda call: call == 0)
    with EventProducer("events", kinesis=kinesis, limits=Limits(max_attempts=1), on_failure=callback) as producer:
        producer.put(like("lost"))
        assert producer.flush(5) == 0
        producer.put(like("kept"))
    assert kinesis.ids == ["kept"]


def test_an_answer_that_misses_entries_is_no_success() -> None:
    class Short(FakeKinesis):
        def put_records(self, **arguments: object) -> dict[str, object]:
            answer = super().put_records(**arguments)
            return {"Records": []} if len(self.calls) == 1 else answer

    kinesis = Short()
    with EventProducer("events", kinesis=kinesis, limits=QUICK) as producer:
        producer.put(like("a"))
    assert len(kinesis.calls) == 2


def _stuck(*, block_s: float = 0.1, **arguments: object) -> tuple[EventProducer, Gate, FakeKinesis]:
    """A producer of three events' room whose stream hangs."""
    gate = Gate()
    kinesis = FakeKinesis(fail=gate)
    limits = Limits(linger_ms=1, buffer_events=3, block_s=block_s)
    producer = EventProducer("events", kinesis=kinesis, limits=limits, **arguments)  # type: ignore[arg-type]
    for number in range(3):
        producer.put(like(number))
    assert gate.reached.wait(5)
    return producer, gate, kinesis


def test_a_full_buffer_raises_at_once_by_default() -> None:
    producer, gate, kinesis = _stuck(block_s=60)
    began = time.monotonic()
    with pytest.raises(BufferFull, match="3 events"):
        producer.put(like("one too many"))
    assert time.monotonic() - began < 5
    gate.open()
    assert producer.close() == 0
    assert (sorted(kinesis.ids), producer.stats().dropped) == (["0", "1", "2"], 1)


def test_a_full_buffer_can_drop_the_newest_and_count_it() -> None:
    producer, gate, kinesis = _stuck(when_full=WhenFull.DROP)
    producer.put(like("one too many"))
    gate.open()
    producer.close()
    assert (sorted(kinesis.ids), producer.stats().dropped, producer.stats().accepted) == (["0", "1", "2"], 1, 3)


def test_a_full_buffer_can_block_for_a_while_and_then_raises() -> None:
    producer, gate, kinesis = _stuck(when_full=WhenFull.BLOCK)
    began = time.monotonic()
    with pytest.raises(BufferFull):
        producer.put(like("one too many"))
    assert 0.1 <= time.monotonic() - began < 5
    threading.Timer(0.03, gate.open).start()
    producer.put(like("after room"))
    assert producer.close() == 0
    assert sorted(kinesis.ids) == ["0", "1", "2", "after room"]


def test_the_buffer_is_bounded_in_bytes_too() -> None:
    gate = Gate()
    producer = EventProducer("events", kinesis=FakeKinesis(fail=gate), limits=Limits(buffer_bytes=1_100_000))
    for number in range(10):
        producer.put(like(f"{number}" + "x" * 100_000))
    with pytest.raises(BufferFull, match="10 events"):
        producer.put(like("x" * 100_000))
    gate.open()
    assert producer.flush(5) == 0
    for number in range(10):
        producer.put(like(f"{number}" + "x" * 100_000))
    assert producer.close() == 0


def test_closing_in_vain_says_how_many_were_not_sent_and_hands_them_back() -> None:
    handed: list[Unsent] = []
    producer, gate, _ = _stuck(on_failure=handed.append)
    assert producer.close(timeout_s=0.05) == 3
    gate.open()
    assert sum(len(unsent.lines) for unsent in handed) == 3
    assert {unsent.reason for unsent in handed} == {"closed"}
    assert (producer.stats().unsent, producer.stats().sent, producer.stats().waiting) == (3, 0, 0)
    assert _balanced(producer)
    assert producer.close() == 0


def test_flush_says_how_many_still_wait_and_later_events_do_not_hold_it_up() -> None:
    producer, gate, _ = _stuck()
    assert producer.flush(timeout_s=0.05) == 3
    gate.open()
    assert producer.flush(timeout_s=5) == 0
    assert producer.stats().sent == 3
    producer.close()


def test_a_closed_producer_takes_nothing_and_closing_wakes_who_waits() -> None:
    producer, gate, _ = _stuck(when_full=WhenFull.BLOCK, block_s=60)
    raised: list[type[BaseException]] = []

    def put() -> None:
        try:
            producer.put(like("late"))
        except (ProducerClosed, BufferFull) as error:
            raised.append(type(error))

    waiter = threading.Thread(target=put)
    waiter.start()
    closer = threading.Thread(target=producer.close, args=(60,))
    closer.start()
    waiter.join(5)
    assert raised == [ProducerClosed]
    with pytest.raises(ProducerClosed):
        producer.put(like("later"))
    gate.open()
    closer.join(5)
    assert producer.stats().sent == 3


def test_what_was_given_up_is_handed_back_before_close_returns() -> None:
    handed: list[Unsent] = []

    def slow(unsent: Unsent) -> None:
        time.sleep(0.2)
        handed.append(unsent)

    kinesis = FakeKinesis(refuse=lambda _: True)
    producer = EventProducer("events", kinesis=kinesis, limits=Limits(max_attempts=1), on_failure=slow)
    producer.put(like("a"))
    assert producer.close(timeout_s=5) == 0
    assert len(handed) == 1


def test_an_invalid_event_is_counted_and_takes_no_room() -> None:
    with EventProducer("events", kinesis=FakeKinesis()) as producer:
        with pytest.raises(InvalidEvent):
            producer.put({"event_type": "like"})
        counts = producer.stats()
    assert (counts.invalid, counts.accepted, counts.waiting) == (1, 0, 0)


def test_the_log_holds_counts_and_codes_and_nothing_of_an_event(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    kinesis = FakeKinesis(refuse=lambda _: True, fail=raising("AccessDeniedException", calls=range(1)))
    limits = Limits(linger_ms=1, backoff_ms=0, max_attempts=3)
    with EventProducer("events", kinesis=kinesis, limits=limits) as producer:
        producer.put(like("secret-id", show="secret-show"))
        producer.flush(5)
    assert "AccessDeniedException" in caplog.text
    assert "gave up 1 events" in caplog.text
    assert "secret" not in caplog.text
