"""Whatever goes wrong, each event is landed, quarantined or dead-lettered with a reason, and duplicates are told."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

pytest.importorskip("time_machine", reason="a rehearsal needs the packages of requirements-dev.txt")

from rehearsal.scenario.accounting import TOPIC
from rehearsal.scenario.aggregation import aggregate
from rehearsal.scenario.catalog_service import (
    ANSWER_GARBAGE,
    NO_ANSWER,
    SERVER_ERROR,
    Fault,
    too_many_requests,
)
from rehearsal.scenario.traffic import event_of
from tests.rehearsal.proofs.played import Played, like, line_of

VISIBILITY_S = 12 * 60
"""About the queue's visibility time-out: a message that failed comes back after it."""
OVERSIZE = [like(f"oversize-{number}", filler="\\" * 450_000) for number in range(5)]
"""A batch whose answer has more than 6 MB: each back-slash is two bytes in JSON, and four in the extra column."""


# --- duplicates ---------------------------------------------------------------------------------------------


def test_an_event_that_the_app_sends_twice_is_landed_and_its_second_row_is_told_by_its_id(played: Played) -> None:
    played.put(like("a"), like("b"), like("a"))
    played.settle()
    book = played.account()
    line = line_of(book, "like")
    assert book.closes
    assert (line.sent, line.repeated, line.landed, line.arrived_again) == (3, 1, 2, 1)
    assert played.query('SELECT event_id, count(*) FROM "like" GROUP BY 1 ORDER BY 1') == [("a", 2), ("b", 1)]


def test_a_message_that_the_queue_delivers_twice_is_published_once(played: Played) -> None:
    played.announce("s1", "s2")
    played.deliver()
    assert played.engine.faults.deliver_twice(played.deployed.queue_arn, 2) == 2
    played.settle()
    book = played.account()
    line = line_of(book, TOPIC)
    assert book.closes
    assert (line.sent, line.landed, line.arrived_again) == (2, 2, 0)
    assert played.catalog.calls == {"s1": 1, "s2": 1}


def test_a_message_that_the_queue_delivers_again_after_its_show_was_published_is_told_by_the_event_id(
    played: Played,
) -> None:
    played.engine.faults.fail_function(played.function("Ingest"), 1)
    played.announce("s1")
    played.engine.advance(5)
    assert played.outcomes("Ingest") == ["fault"], "the message is in flight"
    assert played.engine.faults.deliver_twice(played.deployed.queue_arn) == 1
    played.settle()
    book = played.account()
    line = line_of(book, TOPIC)
    assert book.closes
    assert (line.sent, line.landed, line.arrived_again) == (1, 1, 1)
    assert played.query("SELECT count(*), count(DISTINCT event_id) FROM show_catalog_entry") == [(2, 1)]


def test_a_change_that_the_topic_publishes_twice_has_one_event_id(played: Played) -> None:
    played.announce("s1")
    played.settle()
    played.announce("s1")
    played.settle()
    book = played.account()
    line = line_of(book, TOPIC)
    assert book.closes
    assert (line.sent, line.landed, line.arrived_again) == (2, 2, 1)
    assert played.query("SELECT count(*), count(DISTINCT event_id) FROM show_catalog_entry") == [(2, 1)]


def test_an_ingest_function_whose_answer_is_lost_publishes_again_under_the_same_ids(played: Played) -> None:
    played.engine.faults.fail_function(played.function("Ingest"), 1, kind="lost")
    played.announce("s1", "s2")
    played.settle()
    book = played.account()
    line = line_of(book, TOPIC)
    assert book.closes
    assert (line.sent, line.landed, line.arrived_again) == (2, 2, 2)
    assert played.query("SELECT count(*), count(DISTINCT event_id) FROM show_catalog_entry") == [(4, 2)]


def test_an_oversize_batch_whose_answer_is_lost_is_put_back_again_and_its_duplicates_are_told(played: Played) -> None:
    played.engine.faults.fail_function(played.function("Flatten"), 1, kind="lost")
    played.put(*OVERSIZE)
    played.settle()
    book = played.account()
    line = line_of(book, "like")
    assert book.closes
    assert (line.sent, line.landed) == (5, 5)
    assert line.arrived_again > 0


# --- the catalog service ------------------------------------------------------------------------------------


def test_each_answer_of_the_catalog_service_but_the_show_ends_where_it_should(played: Played) -> None:
    scripts: dict[str, tuple[Fault, ...]] = {
        "good": (),
        "error-500": (SERVER_ERROR, SERVER_ERROR),
        "busy-429": (too_many_requests(retry_after="1"),),
        "closed": (NO_ANSWER, NO_ANSWER),
        "cut-short": (Fault(body=b'{"id": "cut-short", "ti'),),
        "garbage": (ANSWER_GARBAGE,),
        "no-object": (Fault(body=b"[]"),),
        "another": (Fault(body=b'{"id": "good"}'),),
        "refused": (Fault(status=422),),
        "broken": (Fault(body=b'{"id": "broken", "title": 5.5}'),),
    }
    for show_id, script in scripts.items():
        played.catalog.script(show_id, *script)
    played.announce(*scripts)
    played.announce("gone", serve=False)
    played.settle()
    book = played.account()
    line = line_of(book, TOPIC)
    assert book.closes
    assert line.landed == 4
    assert dict(line.dead_lettered) == {
        "answer_not_json": 2,
        "answer_not_an_object": 1,
        "wrong_show": 1,
        "show_refused": 1,
        "show_not_found": 1,
        "wrong_type": 1,
    }
    landed = [row[0] for row in played.query("SELECT DISTINCT show_id FROM show_catalog_entry ORDER BY 1")]
    assert landed == ["busy-429", "closed", "error-500", "good"]
    assert played.catalog.calls["busy-429"] == 2
    assert played.outcomes("Ingest") == ["ok"], "none of these needs a second receipt"
    (ingested,) = (one for one in played.engine.invocations if one.function == played.function("Ingest"))
    assert ingested.duration_ms > 1000, "Retry-After was honoured"


def test_a_catalog_service_that_fails_for_a_while_delays_its_shows_and_loses_none(played: Played) -> None:
    played.catalog.script("slow-to-heal", *[SERVER_ERROR] * 4)
    played.announce("slow-to-heal", "good")
    played.settle()
    book = played.account()
    assert book.closes
    assert line_of(book, TOPIC).landed == 2
    assert len(played.outcomes("Ingest")) == 2, "the failed message came back, alone"
    assert played.catalog.calls == {"slow-to-heal": 5, "good": 1}


def test_messages_of_the_time_when_the_catalog_service_was_down_land_when_it_is_back(played: Played) -> None:
    played.catalog.down = True
    played.announce("s1", "s2")
    played.engine.advance(2 * VISIBILITY_S)
    assert len(played.outcomes("Ingest")) >= 2
    played.catalog.down = False
    played.settle()
    book = played.account()
    assert book.closes
    assert line_of(book, TOPIC).landed == 2


def test_a_catalog_service_that_stays_down_leaves_its_changes_in_the_dead_letter_queue(played: Played) -> None:
    played.catalog.down = True
    played.announce("s1", "s2")
    played.settle()
    book = played.account()
    line = line_of(book, TOPIC)
    assert not book.missing
    assert dict(line.dead_lettered) == {"receive count used up": 2}
    assert len(played.outcomes("Ingest")) == 5


def test_a_message_that_can_never_succeed_is_dead_lettered_at_its_first_receipt_beside_good_ones(
    played: Played,
) -> None:
    played.announce_text("no JSON", '{"change": "updated"}', "[]", '{"show_id": ".."}')
    played.announce("good")
    played.settle()
    book = played.account()
    line = line_of(book, TOPIC)
    assert book.closes
    assert line.landed == 1
    assert line.dead_lettered["not_json"] == 1
    assert line.dead_lettered.total() == 4
    assert played.outcomes("Ingest") == ["ok"]


# --- the stream ---------------------------------------------------------------------------------------------


def test_entries_that_the_stream_refuses_the_app_are_put_again_alone(played: Played) -> None:
    played.engine.faults.refuse_stream_entries(played.deployed.stream_arn, 4)
    played.put(*(like(f"e{number}") for number in range(10)))
    played.settle()
    book = played.account()
    line = line_of(book, "like")
    assert book.closes
    assert (played.traffic.ledger.refused, line.landed, line.arrived_again) == (4, 10, 0)


def test_a_refused_record_of_many_events_is_put_again_whole_and_its_bad_line_is_quarantined_alone(
    played: Played,
) -> None:
    lines = [like("a"), b'{"event_type": "like", "event_id": "cut', like("b"), *(like(f"c{n}") for n in range(17))]
    played.engine.faults.refuse_stream_entries(played.deployed.stream_arn, 1)
    played.traffic.put([replace(event_of(line, at_s=0.0), record="one") for line in lines])
    played.settle()
    book = played.account()
    ledger = played.traffic.ledger
    assert book.closes
    assert (ledger.records, ledger.refused, len({event.sequence_number for event in ledger.events})) == (1, 1, 1)
    assert (line_of(book, "like").landed, line_of(book, "like").arrived_again) == (19, 0)
    assert line_of(book, "without a type").quarantined == {"not_json": 1}


def test_an_aggregate_of_the_producer_library_lands_event_by_event_and_a_damaged_one_is_quarantined_whole(
    played: Played,
) -> None:
    lines = [like("a"), b'{"event_type": "like", "event_id": "cut', *(like(f"e{n}", text="ü" * n) for n in range(200))]
    played.engine.faults.refuse_stream_entries(played.deployed.stream_arn, 1)
    played.traffic.put([replace(event_of(line, at_s=0.0), record="one", aggregated=True) for line in lines])
    several = aggregate([("k", like("two") + b"\n" + like("three")), ("k", b""), ("k", like("four"))])
    damaged = aggregate([("k", like("lost"))])[:-1] + b"!"
    kinesis = played.engine.client("kinesis", played.deployed.producer_role)
    for data in (several, damaged):
        kinesis.put_record(StreamARN=played.deployed.stream_arn, PartitionKey="k", Data=data)
    played.settle()
    ledger = played.traffic.ledger
    assert (ledger.records, len({event.sequence_number for event in ledger.events}), ledger.refused) == (3, 3, 1)
    rows = dict(played.read().connection.execute('SELECT event_id, count(*) FROM "like" GROUP BY 1').fetchall())
    assert rows == dict.fromkeys(["a", *(f"e{n}" for n in range(200)), "two", "three", "four"], 1)
    reasons = played.query("SELECT reason_code, count(*) FROM quarantine GROUP BY 1")
    assert reasons == [("not_json", 3)], "the bad line, the empty record and the damaged aggregate"


def test_entries_that_the_stream_refuses_the_ingest_function_are_put_again_alone(played: Played) -> None:
    played.engine.faults.refuse_stream_entries(played.deployed.stream_arn, 2)
    played.announce("s1", "s2", "s3")
    played.settle()
    book = played.account()
    line = line_of(book, TOPIC)
    assert book.closes
    assert (played.metric("RefusedEntries"), line.landed, line.arrived_again) == (2, 3, 0)
    assert played.outcomes("Ingest") == ["ok"]


def test_a_show_whose_entry_the_stream_goes_on_refusing_comes_back_and_lands_once(played: Played) -> None:
    played.engine.faults.refuse_stream_entries(played.deployed.stream_arn, 8)
    played.announce("s1")
    played.settle()
    book = played.account()
    line = line_of(book, TOPIC)
    assert book.closes
    assert (line.landed, line.arrived_again) == (1, 0)
    assert len(played.outcomes("Ingest")) > 1


# --- the flattening function --------------------------------------------------------------------------------


def test_an_event_that_breaks_its_contract_is_quarantined_with_reason_and_bytes_beside_good_ones(
    played: Played,
) -> None:
    bad = {
        "not_json": b'{"event_type": "like", ',
        "not_an_object": b"[1]",
        "wrong_type": like("w", like={"count": "many"}),
        "out_of_range": like("o", like={"count": 2**70}),
    }
    played.put(like("good"), *bad.values())
    played.settle()
    book = played.account()
    assert book.closes
    assert line_of(book, "like").landed == 1
    rows = played.query("SELECT reason_code, original, sequence_number IS NOT NULL, reason <> '' FROM quarantine")
    assert sorted(rows) == sorted((reason, line.decode(), True, True) for reason, line in bad.items())


def test_an_oversize_batch_is_put_back_and_landed_once(played: Played) -> None:
    played.put(*OVERSIZE)
    played.settle()
    book = played.account()
    line = line_of(book, "like")
    assert book.closes
    assert (line.sent, line.landed, line.arrived_again) == (5, 5, 0)
    assert played.metric("Dropped") > 0
    assert "too-large" not in played.outcomes("Flatten")


def test_a_flattening_function_that_fails_twice_and_then_works_loses_and_doubles_nothing(played: Played) -> None:
    played.engine.faults.fail_function(played.function("Flatten"), 2)
    played.put(*(like(f"e{number}") for number in range(20)))
    played.announce("s1")
    played.settle()
    book = played.account()
    line = line_of(book, "like")
    assert book.closes
    assert (line.landed, line.arrived_again) == (20, 0)
    assert line_of(book, TOPIC).landed == 1
    assert played.outcomes("Flatten").count("fault") == 2


def test_what_a_flattening_function_that_never_works_leaves_lies_below_the_error_prefix_by_its_bytes(
    played: Played,
) -> None:
    lines = [like(f"e{number}", text="ü\u2028 深夜") for number in range(5)] + [b"no JSON \xff"]
    played.engine.faults.fail_function(played.function("Flatten"), 1000, kind="error")
    played.put(*lines)
    played.announce("s1")
    played.settle()
    book = played.account()
    entries = [one.line for one in played.given_up() if b"show_catalog_entry" in one.line]
    assert sorted(one.line.strip() for one in played.given_up()) == sorted([*lines, *(e.strip() for e in entries)])
    assert [json.loads(entry)["show"]["id"] for entry in entries] == ["s1"]
    assert not book.missing
    assert sum(line.given_up["Lambda.FunctionError"] for line in book.lines) == 7
    assert sum(line.dead_lettered.total() for line in book.lines) == 0
    assert len(book.unexpected) == 7
    assert sum("Firehose gave like e" in sentence for sentence in book.unexpected) == 5
    assert sum("Firehose gave the entry of show s1 up" in sentence for sentence in book.unexpected) == 1


def test_a_flattening_function_that_is_back_after_a_failure_for_good_lands_what_comes_then(played: Played) -> None:
    played.engine.faults.fail_function(played.function("Flatten"), 4, kind="timeout")
    played.put(like("before"))
    played.settle()
    played.put(like("after"))
    played.settle()
    book = played.account()
    line = line_of(book, "like")
    assert not book.missing
    assert (line.landed, line.given_up.total()) == (1, 1)
    assert "like before" in book.unexpected[0]
