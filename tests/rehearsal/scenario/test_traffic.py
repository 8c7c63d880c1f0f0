"""Events that share a record of the stream stay together, within limits, and those that name none stay alone."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest

pytest.importorskip("time_machine", reason="needs time-machine: install requirements-dev.txt")

from rehearsal.engine.firehose.aggregation import disaggregate
from rehearsal.scenario.aggregation import aggregate
from rehearsal.scenario.faults import BAD_IN_AGGREGATE, BAD_NEIGHBOUR, faulty_events
from rehearsal.scenario.population import PopulationSettings
from rehearsal.scenario.timeline import EVENTS_PER_RECORD, generated, own
from rehearsal.scenario.traffic import MAX_SHARED_BYTES, Event, Traffic, event_of

SETTINGS = PopulationSettings(
    now=datetime(2026, 11, 18, 20, tzinfo=UTC), live_events=200, live_minutes=1, shows=10, listeners=20, creators=5
)


class Stream:
    """Takes records and keeps them; refuses every record of the first call but the first."""

    def __init__(self) -> None:
        self.calls: list[list[bytes]] = []
        self.taken: list[bytes] = []

    def put_records(self, *, StreamARN: str, Records: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        self.calls.append([record["Data"] for record in Records])
        answers: list[dict[str, str]] = []
        for place, record in enumerate(Records):
            if place and len(self.calls) == 1:
                answers.append({"ErrorCode": "ProvisionedThroughputExceededException"})
                continue
            self.taken.append(record["Data"])
            answers.append({"SequenceNumber": str(len(self.taken))})
        return {"Records": answers}


def _put(*events: Event) -> tuple[Stream, Traffic]:
    stream = Stream()
    engine = SimpleNamespace(client=lambda *_: stream)
    deployed = SimpleNamespace(engine=engine, producer_role="app", publisher_role="catalog", stream_arn="stream")
    traffic = Traffic(cast(Any, deployed), cast(Any, None))
    traffic.put(events)
    return stream, traffic


def _event(name: str, record: str = "", size: int = 0) -> Event:
    return Event(at_s=0.0, line=name.encode() + b"x" * size, type="like", event_id=name, record=record)


def test_events_of_one_record_share_it_a_line_each_and_others_stay_alone() -> None:
    stream, traffic = _put(_event("a", "r"), _event("b", "r"), _event("c"), _event("d"), _event("e", "s"))
    assert stream.calls[0] == [b"a\nb\n", b"c\n", b"d\n", b"e\n"]
    assert traffic.ledger.records == 4


def test_a_refused_record_is_put_again_whole_and_its_events_share_the_place_that_it_got() -> None:
    stream, traffic = _put(_event("a"), _event("b", "r"), _event("c", "r"))
    assert stream.calls == [[b"a\n", b"b\nc\n"], [b"b\nc\n"]]
    assert [(event.event_id, event.sequence_number) for event in traffic.ledger.events] == [
        ("a", "1"),
        ("b", "2"),
        ("c", "2"),
    ]
    assert traffic.ledger.refused == 1


def test_a_shared_record_stays_below_its_limit_of_bytes() -> None:
    stream, _ = _put(*(_event(str(number), "r", size=MAX_SHARED_BYTES // 3) for number in range(5)))
    assert [data.count(b"\n") for data in stream.calls[0]] == [2, 2, 1]


def test_generated_events_come_by_turns_alone_and_many_to_a_record_and_own_ones_alone(tmp_path: Any) -> None:
    events = generated(SETTINGS).events
    alone = [event for event in events if not event.record]
    sizes = [sum(event.record == name for event in events) for name in {event.record for event in events} - {""}]
    assert len(sizes) >= 4
    assert max(sizes) == EVENTS_PER_RECORD
    assert len(events) / 3 < len(alone) < len(events) * 2 / 3
    file = tmp_path / "own.ndjson"
    file.write_bytes(b"{}\n" * 50)
    assert {event.record for event in own(shows=None, events=file, begin_s=0.0, span_s=1.0).events} == {""}


def test_the_faults_hold_a_bad_line_among_good_ones_in_one_record_of_lines_and_in_one_aggregate() -> None:
    shared = [event for event in faulty_events(SETTINGS, at_s=0.0) if event.record]
    assert [event.expected for event in shared] == ["landed", "quarantined:not_json", "landed"] * 2
    stream, _ = _put(*shared)
    lines, aggregated = stream.taken
    assert lines.count(b"\n") == 3
    taken_apart = [data for data, _ in disaggregate(aggregated, "whole")]
    assert taken_apart == [event.line for event in shared if event.record == BAD_IN_AGGREGATE]
    assert {event.record for event in shared} == {BAD_NEIGHBOUR, BAD_IN_AGGREGATE}


def test_an_aggregate_keeps_records_of_any_length_and_their_partition_keys() -> None:
    records = [("k1", b""), ("k2", b"x" * 127), ("k1", b"y" * 128), ("key " * 50, b"z" * 300_000)]
    packed = aggregate(records)
    assert disaggregate(packed, "whole") == [(data, key) for key, data in records]
    assert disaggregate(packed[:-1] + b"!", "whole") == [(packed[:-1] + b"!", "whole")]


@pytest.mark.parametrize(
    ("line", "name"),
    [
        (b'{"event_id": "a"}', "a"),
        (b'{"event_id": 12345678901234567890}', "12345678901234567890"),
        (b'{"event_id": 1.50}', "1.50"),
        (b'{"event_id": ""}', None),
        (b'{"event_id": true}', None),
        (b"no JSON", None),
    ],
)
def test_an_event_is_known_by_the_id_that_its_row_will_carry(line: bytes, name: str | None) -> None:
    assert event_of(line, at_s=0.0).event_id == name
