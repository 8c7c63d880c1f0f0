"""How a whole transformation request is answered: every record id once, within the response's limit."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Sequence
from typing import Any

import pytest

pytest.importorskip("pybase64", reason="the flattening function's own package")

from lambdas.flatten_events.landing import Arrival
from lambdas.flatten_events.logic import Answer, transform
from lambdas.flatten_events.reingestion import Returned, put_back, unwrap, wrap

LIKE = b'{"event_type":"like","event_id":"e%d","occurred_at":1,"show":{"id":"s"}}\n'


def _record(data: bytes, number: int = 0) -> dict[str, Any]:
    return {
        "recordId": f"r{number}",
        "approximateArrivalTimestamp": 1_794_998_401_000,
        "data": b64encode(data).decode(),
        "kinesisRecordMetadata": {
            "sequenceNumber": f"49{number}",
            "subsequenceNumber": 0,
            "partitionKey": f"key{number}",
            "shardId": "shardId-000000000000",
            "approximateArrivalTimestamp": 1_794_998_401_000,
        },
    }


def _transform(records: Sequence[dict[str, Any]], *, limit: int = 6_000_000, back: Any = None) -> Answer:
    return transform(
        records,
        put_back=back or (lambda returned: pytest.fail(f"{len(returned)} records were put back")),
        max_response_bytes=limit,
        max_reingestions=3,
    )


def test_every_record_id_is_answered_once_and_in_order() -> None:
    records = [_record(LIKE % n, n) for n in range(5)] + [_record(b"junk", 5), _record(b"\n", 6)]
    records.append({**_record(b"", 7), "data": "not base64!"})
    answer = _transform(records)
    assert [record["recordId"] for record in answer.records] == [record["recordId"] for record in records]
    results = [record["result"] for record in answer.records]
    assert results == ["Ok"] * 6 + ["Dropped", "ProcessingFailed"]
    assert answer.metrics["Events"] == 6
    assert answer.metrics["Quarantined"] == answer.metrics["Blank"] == answer.metrics["Failed"] == 1


def test_partition_keys_route_by_zone_type_and_arrival_hour() -> None:
    keys = [record["metadata"]["partitionKeys"] for record in _transform([_record(LIKE % 1), _record(b"{", 1)]).records]
    assert keys == [
        {"zone": "events", "type": "like", "arrival": "2026-11-18-10"},
        {"zone": "quarantine", "type": "unknown", "arrival": "2026-11-18-10"},
    ]


def test_a_response_never_passes_the_limit_and_the_rest_is_put_back() -> None:
    records = [_record(LIKE % n, n) for n in range(200)]
    taken: list[Returned] = []

    def back(returned: Sequence[Returned]) -> list[bool]:
        taken.extend(returned)
        return [True] * len(returned)

    answer = _transform(records, limit=70_000, back=back)
    assert len(json.dumps({"records": answer.records})) <= 70_000
    ok = {b64decode(r["data"]) for r in answer.records if r["result"] == "Ok"}
    assert 0 < len(ok) < 200
    assert len(ok) + len(taken) == 200
    assert answer.metrics["Dropped"] == len(taken)


def test_a_record_too_large_alone_fails_at_once_and_is_not_put_back() -> None:
    answer = _transform([_record(LIKE % 1), _record(b'"' + b"x" * 10_000 + b'"', 1)], limit=3_000)
    assert [record["result"] for record in answer.records] == ["Ok", "ProcessingFailed"]


def test_a_record_that_went_round_too_often_goes_to_the_error_prefix() -> None:
    arrival = Arrival(sequence_number="1", sub_sequence=0, arrived_at_ms=5)
    worn = wrap(Returned(line=LIKE.strip() % 1, arrival=arrival, attempt=2))
    records = [_record(LIKE % n, n) for n in range(3)] + [_record(worn, 9)]
    answer = _transform(records, limit=1_600, back=lambda returned: [True] * len(returned))
    assert answer.records[-1]["result"] == "ProcessingFailed"


def test_what_could_not_be_put_back_fails_so_that_firehose_keeps_it() -> None:
    answer = _transform([_record(LIKE % n, n) for n in range(9)], limit=3_000, back=lambda rest: [False] * len(rest))
    assert "Dropped" not in {record["result"] for record in answer.records}
    assert answer.metrics["Failed"] > 0


def test_a_record_that_was_put_back_keeps_its_first_arrival_and_id() -> None:
    line = b'{"event_type":"like","occurred_at":1,"show":{"id":"s"}}'
    first = _transform([_record(line, 1)])
    wrapped = wrap(
        Returned(line=line, arrival=Arrival(sequence_number="491", sub_sequence=0, arrived_at_ms=1_794_998_401_000))
    )
    again = _transform([_record(wrapped, 2)])
    assert json.loads(b64decode(first.records[0]["data"])) == json.loads(b64decode(again.records[0]["data"]))


def _mark(**changes: object) -> bytes:
    mark = {"attempt": 1, "sequence_number": "1", "sub_sequence": 0, "arrived_at_ms": 4, **changes}
    return json.dumps({"amp_reingestion": mark}, separators=(",", ":")).encode() + b" {}"


@pytest.mark.parametrize(
    "line",
    [
        b'{"amp_reingestion":1} {}',
        b'{"amp_reingestion":{"attempt":"x"}}',
        b'{"amp_reingestion":',
        b'{"amp_reingestion":' + b"[" * 480,
        _mark(attempt=-1_000_000),
        _mark(attempt=4),
        _mark(attempt=True),
        _mark(arrived_at_ms=6),
        _mark(arrived_at_ms=-1),
        _mark(arrived_at_ms=10**20),
        _mark(sub_sequence=float("inf")),
        _mark(sub_sequence=-1),
        _mark(sequence_number=7),
        _mark(sequence_number='"'),
    ],
)
def test_a_producers_imitation_of_a_returned_record_is_read_as_any_event(line: bytes) -> None:
    arrival = Arrival(sequence_number="1", sub_sequence=0, arrived_at_ms=5)
    assert unwrap(line, arrival, "k", max_reingestions=3) == Returned(line=line, arrival=arrival, partition_key="k")
    assert _transform([_record(line)]).records[0]["result"] == "Ok"


def test_a_mark_of_the_functions_own_is_taken_off() -> None:
    arrival = Arrival(sequence_number="1", sub_sequence=0, arrived_at_ms=5)
    taken = unwrap(_mark(), arrival, "k", max_reingestions=3)
    assert (taken.line, taken.attempt, taken.arrival.arrived_at_ms) == (b"{}", 1, 4)


class _Kinesis:
    """Refuses the entries that it is told to, once each."""

    def __init__(self, refuse: set[bytes]) -> None:
        self.refuse = refuse
        self.calls: list[list[bytes]] = []

    def put_records(self, *, StreamARN: str, Records: Sequence[Any]) -> Any:  # noqa: N803 - the service's names
        self.calls.append([entry["Data"] for entry in Records])
        answers = []
        for entry in Records:
            refused = any(word in entry["Data"] for word in self.refuse)
            answers.append({"ErrorCode": "ProvisionedThroughputExceededException"} if refused else {"ShardId": "0"})
        self.refuse = set()
        return {"Records": answers}


def _returned(count: int) -> list[Returned]:
    arrival = Arrival(sequence_number="1", sub_sequence=0, arrived_at_ms=5)
    return [Returned(line=b"line-%d-" % n, arrival=arrival, partition_key="k") for n in range(count)]


IN_TIME: Any = {"remaining_seconds": lambda: 300.0, "sleep": lambda _: None}


def test_nothing_is_put_back_when_the_answer_would_come_too_late() -> None:
    kinesis, left = _Kinesis(set()), iter([31.0, 29.0, 29.0, 29.0, 29.0])
    back = put_back(
        _returned(501), stream_arn="arn", kinesis=kinesis, remaining_seconds=lambda: next(left), sleep=lambda _: None
    )
    assert back == [True] * 500 + [False]
    assert [len(call) for call in kinesis.calls] == [500]


def test_entries_that_kinesis_refuses_are_retried_alone() -> None:
    kinesis = _Kinesis({b"line-2-", b"line-7-"})
    assert put_back(_returned(10), stream_arn="arn", kinesis=kinesis, **IN_TIME) == [True] * 10
    assert [len(call) for call in kinesis.calls] == [10, 2]


def test_records_go_back_at_most_500_at_a_time() -> None:
    kinesis = _Kinesis(set())
    put_back(_returned(1_100), stream_arn="arn", kinesis=kinesis, **IN_TIME)
    assert [len(call) for call in kinesis.calls] == [500, 500, 100]


def test_a_record_that_kinesis_could_not_take_is_reported_alone() -> None:
    arrival = Arrival(sequence_number="1", sub_sequence=0, arrived_at_ms=5)
    records = [*_returned(2), Returned(line=b"x" * 1_024_000, arrival=arrival)]
    assert put_back(records, stream_arn="arn", kinesis=_Kinesis(set()), **IN_TIME) == [True, True, False]


def test_an_event_that_the_function_fails_on_does_not_take_its_batch_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(line: bytes) -> object:
        if b"e1" in line:
            raise ZeroDivisionError
        return json.loads(line)

    monkeypatch.setattr("lambdas.flatten_events.landing.read_json", fail)
    monkeypatch.setattr("lambdas.flatten_events.landing.typed.read", lambda _, line: fail(line) and None)
    answer = _transform([_record(LIKE % n, n) for n in range(3)])
    assert [record["result"] for record in answer.records] == ["Ok"] * 3
    assert answer.reasons == {"internal_error": 1}
    row = json.loads(b64decode(answer.records[1]["data"]))
    assert row["original"].encode() == (LIKE % 1).strip()
    assert "ZeroDivisionError" in row["reason"]


def test_an_event_that_the_fast_way_fails_on_is_read_the_exact_way(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = _transform([_record(LIKE % 1)])
    monkeypatch.setattr("lambdas.flatten_events.landing.typed.read", lambda *_: 1 / 0)
    assert _transform([_record(LIKE % 1)]) == plain
