"""The parts of the operator's commands by themselves: header, contract check, ledger, masking, selection, memory."""

from __future__ import annotations

import gzip
import json
import threading
import time
import tracemalloc
from datetime import UTC, datetime
from pathlib import Path

import pytest

from config import stage_named
from contracts.events import EVENTS
from contracts.views import samples
from operations import explaining
from operations.contract_check import refusal
from operations.failed_records import FailedRecord
from operations.known import OF_FUNCTIONS, checked
from operations.line_set import LineSet
from operations.masking import MASK, letter_sample, sample_of
from operations.platform import QUEUES, OperationsError, Platform, find
from operations.put_back_header import Place, derived_id, sub_sequence_of, unwrap, wrap
from operations.replay_ledger import Claim, ClaimLostError, Held, Ledger
from operations.selection import Selection, hour_of
from operations.stream_writer import Put, RefusedError, StreamWriter
from tests.operations.fakes import FakeS3

KEY = "quarantine/type=like/arrival=2026-11-18-20/one.json.gz"


# --- the header and the contract, held to the flattening function -----------------------------------------------------


def test_the_flattening_function_reads_the_header_as_it_was_written() -> None:
    pytest.importorskip("orjson", reason="the flattening function needs the packages of requirements-dev.txt")
    from lambdas.flatten_events.landing import Arrival, land
    from lambdas.flatten_events.reingestion import unwrap as function_unwrap

    line = b'{"event_type":"like","occurred_at":1794998400123,"show":{"id":"s"}}'
    place = Place(sequence_number="49", sub_sequence=7, arrived_at_ms=1794998400999)
    elsewhere = Arrival(sequence_number="51", sub_sequence=0, arrived_at_ms=1794998500000)
    back = function_unwrap(wrap(line, place).rstrip(b"\n"), elsewhere, "key", max_reingestions=3)
    assert (back.line, back.attempt) == (line, 0)
    assert back.arrival == Arrival(sequence_number="49", sub_sequence=7, arrived_at_ms=1794998400999)
    assert unwrap(wrap(line, place).rstrip(b"\n")) == (line, place)
    landed = json.loads(land(back.line, back.arrival).line)
    assert landed["event_id"] == derived_id("49", 7, line)
    assert sub_sequence_of(landed["event_id"], "49", line) == 7


def test_a_line_that_looks_like_the_header_and_is_none_stays_as_it_is() -> None:
    assert unwrap(b'{"amp_reingestion":5} x') == (b'{"amp_reingestion":5} x', None)


def test_the_check_against_todays_contract_agrees_with_the_flattening_function() -> None:
    pytest.importorskip("orjson", reason="the flattening function needs the packages of requirements-dev.txt")
    from lambdas.flatten_events.landing import Arrival, land

    good = b'{"event_type":"like","occurred_at":1794998400123,"show":{"id":"s"}%s}'
    lines = [json.dumps(samples.sample(event), ensure_ascii=False, default=str).encode() for event in EVENTS]
    lines += [
        good % more
        for more in (
            b"",
            b',"like":{"count":"many"}',
            b',"like":{"count":3.0}',
            b',"like":{"count":3.5}',
            b',"like":{"count":99999999999}',
            b',"like":{"count":99999999999999999999999}',
            b',"like":5',
            b',"a":1,"a":2',
            b',"user":{"id":"\\ud800"}',
            b',"extra":"\\udc00"',
            b',"extra":NaN',
            b',"extra":1e999',
            b',"deep":' + b"[" * 100 + b"]" * 100,
            b',"deep":' + b"[" * 300 + b"]" * 300,
            b',"deep":' + b"[" * 100_000 + b"]" * 100_000,
            b',"sent_at":"yesterday"',
        )
    ]
    lines += [b"", b"{", b"[]", b"5", b'"text"', b"\xff\xfe", b"\xef\xbb\xbf" + good % b"", b'{"event_type":"other"}']
    lines += [b'{"event_type":"like"}', b"{}", b'{"event_type":["like"]}', (good % b"") * 2]
    where = Arrival(sequence_number="49", sub_sequence=0, arrived_at_ms=1794998400999)
    for line in lines:
        violation = refusal(line)
        assert (violation.reason if violation else None) == land(line, where).reason, line[:120]


def test_the_check_reads_the_metric_that_the_flattening_function_emits() -> None:
    pytest.importorskip("aws_cdk", reason="the stack names the metric's dimension")
    from lambdas.flatten_events import settings
    from operations.checking import FLATTEN_DIMENSION, FLATTEN_EVENTS_METRIC
    from stacks.event_stream import FLATTEN_SERVICE

    assert settings.METRIC_EVENTS == FLATTEN_EVENTS_METRIC
    assert {"Name": settings.METRIC_DIMENSION, "Value": FLATTEN_SERVICE} == FLATTEN_DIMENSION


# --- the ledger -------------------------------------------------------------------------------------------------------


def claimed(found: Claim | Held) -> Claim:
    assert isinstance(found, Claim)
    return found


def test_of_two_replays_that_claim_an_object_one_has_it() -> None:
    ledger = Ledger(FakeS3(), "b")
    claimed(ledger.claim(KEY, replay_id="one", by="anna")).advance((1, 2))
    held = ledger.claim(KEY, replay_id="two", by="ben")
    assert isinstance(held, Held)
    assert (held.replay_id, held.by) == ("one", "anna")


def test_of_many_replays_at_the_same_moment_one_has_the_object() -> None:
    s3 = FakeS3()
    found: list[Claim | Held] = []
    barrier = threading.Barrier(12)

    def contend(number: int) -> None:
        barrier.wait()
        found.append(Ledger(s3, "b").claim(KEY, replay_id=f"r{number}", by="x"))

    threads = [threading.Thread(target=contend, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(isinstance(one, Claim) for one in found) == 1


def test_a_claim_without_a_sign_of_its_owner_passes_on_and_the_owner_learns_of_it() -> None:
    s3 = FakeS3()
    ledger = Ledger(s3, "b")
    first = claimed(ledger.claim(KEY, replay_id="one", by="anna"))
    first.advance((1,))
    s3.advance(minutes=14)
    assert isinstance(ledger.claim(KEY, replay_id="two", by="ben"), Held)
    s3.advance(minutes=2)
    second = claimed(ledger.claim(KEY, replay_id="two", by="ben"))
    assert 1 in second.entry.done
    with pytest.raises(ClaimLostError):
        first.advance((2,))
    second.advance((2,))
    assert ledger.done(KEY).ranges == [(1, 2)]


def test_a_released_object_is_free_and_remembers_who_replayed_what() -> None:
    ledger = Ledger(FakeS3(), "b")
    claim = claimed(ledger.claim(KEY, replay_id="one", by="anna"))
    claim.advance((1, 2, 5))
    claim.release()
    claimed(ledger.claim(KEY, replay_id="two", by="ben")).advance((3,))
    entry = ledger.entry(KEY)
    assert entry.done.ranges == [(1, 3), (5, 5)]
    assert {name: (one["by"], one["records"]) for name, one in entry.replays.items()} == {
        "one": ("anna", 3),
        "two": ("ben", 1),
    }


def test_lines_are_kept_as_ranges() -> None:
    lines = LineSet([(5, 9), (1, 2)]).with_lines([3, 11, 7])
    assert lines.ranges == [(1, 3), (5, 9), (11, 11)]
    assert [line for line in range(13) if line in lines] == [1, 2, 3, 5, 6, 7, 8, 9, 11]
    assert len(lines) == 9


# --- the stream -------------------------------------------------------------------------------------------------------


class Stream:
    """Takes records, refusing those of some lines for a number of calls."""

    def __init__(self, refused: dict[bytes, int]) -> None:
        self.refused, self.calls = refused, list[list[bytes]]()

    def put_records(self, *, StreamARN: str, Records: list[dict[str, bytes]]) -> object:  # noqa: N803
        self.calls.append([record["Data"] for record in Records])
        answers = []
        for record in Records:
            left = self.refused.get(record["Data"], 0)
            self.refused[record["Data"]] = left - 1
            answers.append(
                {"ErrorCode": "ProvisionedThroughputExceededException"} if left > 0 else {"SequenceNumber": "1"}
            )
        return {"Records": answers}


def put(line: int) -> Put:
    return Put(line=line, data=str(line).encode(), partition_key="k")


def test_only_refused_records_are_put_again() -> None:
    stream, waits = Stream({b"2": 2}), list[float]()
    StreamWriter(stream, "arn", records_per_second=100, sleep=waits.append).put([put(1), put(2), put(3)])
    assert stream.calls == [[b"1", b"2", b"3"], [b"2"], [b"2"]]
    assert len(waits) == 2


def test_a_stream_that_goes_on_refusing_ends_the_replay_and_names_what_it_took() -> None:
    stream = Stream({b"2": 1_000})
    writer = StreamWriter(stream, "arn", records_per_second=100, sleep=lambda _: None)
    with pytest.raises(RefusedError) as refused:
        writer.put([put(1), put(2), put(3)])
    assert refused.value.accepted == (1, 3)


def test_records_are_put_no_faster_than_asked() -> None:
    waits: list[float] = []
    writer = StreamWriter(Stream({}), "arn", records_per_second=10, sleep=waits.append)
    assert writer.batch_records == 10
    writer.put([put(line) for line in range(30)])
    assert sum(waits) == pytest.approx(1 + 2, abs=0.1), "each call waits for its turn; this clock does not sleep"


# --- what may be shown ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.type)
def test_every_personal_column_of_every_contract_is_masked(event: object) -> None:
    from contracts.event import Event

    assert isinstance(event, Event)
    body = samples.sample(event)
    line = json.dumps(body, default=str).encode()
    shown = sample_of(FailedRecord(line=1, reason="wrong_type", original=line), json.loads(line))
    personal = {column.path for column in event.sent if column.personal}
    assert {path for path, value in shown.items() if value == MASK} == personal & set(shown)
    assert shown["event_type"] == event.type


def test_the_value_that_was_refused_is_described_and_not_shown() -> None:
    body = {"event_type": "like", "like": {"count": "anna@example.org"}, "unknown": "anna"}
    record = FailedRecord(line=1, reason="wrong_type", column="like_count", original=b"")
    assert sample_of(record, body) == {
        "event_type": "like",
        "like.count": "‹refused: text of 16 characters›",
        "fields that the contract does not know": 1,
    }


# --- what can be asked for --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("selection", "given", "allowed"),
    [
        (Selection(types=("like", "lik")), "given: lik;", "like"),
        (Selection(types=("show-changes",)), "given: show-changes;", "unknown"),
        (Selection(reasons=("nonsense",)), "given: nonsense;", "show_not_found"),
        (Selection(since="2026-11-18-20", until="2026-11-18-20"), "--until 2026-11-18-20", "after --since"),
    ],
)
def test_what_can_select_nothing_is_refused_and_what_is_allowed_is_named(
    selection: Selection, given: str, allowed: str
) -> None:
    with pytest.raises(OperationsError, match=f"{given}.*allowed: .*{allowed}.*; fix: "):
        checked(selection, queues=False)


def test_a_queue_and_a_code_of_firehose_can_be_asked_for() -> None:
    selection = Selection(types=("show-changes", "unknown"), reasons=("Lambda.FunctionTimedOut", "receipts_used_up"))
    assert checked(selection, queues=True) is selection


def test_the_reasons_that_can_be_asked_for_are_those_that_functions_give() -> None:
    pytest.importorskip("aws_lambda_powertools", reason="functions need the packages of requirements-dev.txt")
    from lambdas.ingest_show_catalog import outcomes
    from lambdas.start_crawlers import messages

    assert {*outcomes.Refusal, *messages.Refusal} == OF_FUNCTIONS


# --- the rest ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "hour"),
    [("2026-11-18", "2026-11-18-00"), ("2026-11-18T20", "2026-11-18-20"), ("2026-11-18-20", "2026-11-18-20")],
)
def test_an_hour_is_read_as_people_write_it(given: str, hour: str) -> None:
    assert hour_of(given) == hour


@pytest.mark.parametrize("given", ["", "now", "2026-13-01", "2026-11-18T24", "2026-11-18T20:30"])
def test_what_is_no_hour_is_refused(given: str) -> None:
    with pytest.raises(OperationsError, match="allowed: a UTC day"):
        hour_of(given)


def test_a_file_without_the_stages_stacks_is_refused(tmp_path: object) -> None:
    file = Path(str(tmp_path)) / "outputs.json"
    file.write_text('{"Amp-prod-DataLake": {}}')
    with pytest.raises(OperationsError, match=r"Amp-dev-DataLake.*given: Amp-prod-DataLake;.*fix: give the --stage"):
        find(stage="dev", outputs_file=file)


def test_the_queues_that_commands_know_are_outputs_of_stacks(assembly: Path) -> None:
    for name, (part, output) in QUEUES.items():
        template = json.loads((assembly / f"{part.value}.template.json").read_text())
        assert {output, "DeadLetterQueueUrl", "OperatorPolicyArn"} <= template["Outputs"].keys(), name


def test_the_queue_of_a_part_that_is_not_deployed_is_left_out() -> None:
    outputs = {
        "Amp-dev-ShowCatalog": {"ShowChangesQueueUrl": "changes", "DeadLetterQueueUrl": "dead"},
        "Amp-dev-Orchestration": {},
    }
    (pair,) = Platform(stage=stage_named("dev"), outputs=outputs).queues
    assert (pair.name, pair.url, pair.dead_letter_url) == ("show-changes", "changes", "dead")


def test_a_dead_letter_of_a_catalogued_drop_is_shown_by_its_shape() -> None:
    event = {"detail-type": "Glue Crawler State Change", "detail": {"crawlerName": "c", "message": "of anna"}}
    assert "anna" not in json.dumps(letter_sample(json.dumps(event)))


def quarantine_of(objects: int, lines: int) -> Platform:
    """A platform whose quarantine holds so many objects of so many rows, each of about 800 bytes."""
    original = json.dumps({"event_type": "like", "schema_version": 1, "user": {"id": "anna"}, "filler": "x" * 600})
    row = {"reason_code": "wrong_type", "original": original, "original_encoding": "utf-8", "event_type": "like"}
    s3 = FakeS3()
    for number in range(objects):
        text = "".join(json.dumps({**row, "event_id": f"{number}-{line}"}) + "\n" for line in range(lines))
        s3.objects[KEY.replace("one", str(number))] = gzip.compress(text.encode(), 1)
    outputs = {"Amp-dev-DataLake": {"RawBucketName": "b"}}
    return Platform(stage=stage_named("dev"), outputs=outputs, _clients={"s3": s3})


def test_twenty_thousand_failed_records_are_explained_in_bounded_memory() -> None:
    platform = quarantine_of(4, 5_000)
    tracemalloc.start()
    try:
        explained = explaining.explain(platform, Selection(), progress=lambda _: None)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert [(group.count, group.schema_version) for group in explained.groups] == [(20_000, "1")]
    assert peak < 5_000_000, "the records alone would take 16 MB"


def test_a_hundred_thousand_failed_records_are_explained_within_ten_seconds() -> None:
    platform = quarantine_of(20, 5_000)
    began = time.process_time()  # not the clock's time: the machine may have other work
    explained = explaining.explain(platform, Selection(), progress=lambda _: None)
    took = time.process_time() - began
    (group,) = explained.groups
    assert group.count == 100_000
    assert "anna" not in json.dumps(group.as_json())
    assert took < 10


def test_reading_the_clock_of_a_service_takes_its_date() -> None:
    from operations.platform import date_of

    assert date_of(FakeS3()._metadata()) == datetime(2026, 11, 18, 20, tzinfo=UTC)
