"""What becomes of each message of a batch: published, dead-lettered or failed, and never nothing."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from lambdas.ingest_show_catalog.entry import Entry
from lambdas.ingest_show_catalog.logic import RESERVED_SECONDS, Outcome, ingest
from lambdas.ingest_show_catalog.outcomes import METRICS, Refusal
from lambdas.shared.dead_letters import DeadLetter
from lambdas.shared.failures import CanNeverSucceedError, MayYetSucceedError

NOT_FOUND = CanNeverSucceedError(code=Refusal.SHOW_NOT_FOUND, sentence="No such show.")
DOWN = MayYetSucceedError("The catalog service is down.")


class FakeCatalog:
    """Answers with the show, or with what it is told to: bytes to give or an error to raise."""

    def __init__(self, **answers: bytes | Exception) -> None:
        self.answers = answers
        self.asked: list[str] = []
        self.limits: list[float] = []

    def show(self, show_id: str, *, within_seconds: float, counts: Counter[str]) -> bytes:
        self.asked.append(show_id)
        self.limits.append(within_seconds)
        counts["ApiCalls"] += 1
        answer = self.answers.get(show_id, json.dumps({"id": show_id}).encode())
        if isinstance(answer, Exception):
            raise answer
        return answer


class FakeStream:
    def __init__(self, *refused: str) -> None:
        self.refused = refused
        self.entries: list[Entry] = []

    def put(
        self, entries: Sequence[Entry], *, remaining_seconds: Callable[[], float], counts: Counter[str]
    ) -> dict[str, str]:
        self.entries += [entry for entry in entries if entry.show_id not in self.refused]
        return {entry.show_id: "Kinesis is busy." for entry in entries if entry.show_id in self.refused}


class FakeDeadLetters:
    def __init__(self, *refused: str) -> None:
        self.refused = refused
        self.letters: list[DeadLetter] = []

    def send(self, letters: Sequence[DeadLetter]) -> dict[str, str]:
        self.letters += [letter for letter in letters if letter.message_id not in self.refused]
        return {letter.message_id: "The queue is gone." for letter in letters if letter.message_id in self.refused}


def _record(message_id: str, body: object, *, sent_ms: int = 1) -> dict[str, Any]:
    text = body if isinstance(body, str) else json.dumps(body)
    return {"messageId": message_id, "body": text, "attributes": {"SentTimestamp": str(sent_ms)}}


def _ingest(*records: dict[str, Any], remaining: float = 60.0, **parts: Any) -> Outcome:
    defaults: dict[str, Any] = {"catalog": FakeCatalog(), "stream": FakeStream(), "dead_letters": FakeDeadLetters()}
    return ingest(records, **{**defaults, **parts}, remaining_seconds=lambda: remaining)


def test_a_change_is_published() -> None:
    stream = FakeStream()
    outcome = _ingest(_record("m-1", {"show_id": "a"}), stream=stream)
    assert [entry.show_id for entry in stream.entries] == ["a"]
    assert outcome.published == {"m-1"}
    outcome.settle("m-1")


def test_several_changes_to_one_show_cost_one_call_and_put_one_event() -> None:
    catalog, stream = FakeCatalog(), FakeStream()
    records = [_record(f"m-{number}", {"show_id": "ab"[number % 2]}) for number in range(6)]
    outcome = _ingest(*records, catalog=catalog, stream=stream)
    assert catalog.asked == ["a", "b"]
    assert len(stream.entries) == 2
    assert outcome.published == {f"m-{number}" for number in range(6)}


def test_the_latest_of_several_changes_says_when_it_happened() -> None:
    stream = FakeStream()
    _ingest(
        _record("m-1", {"show_id": "a", "changed_at": "2026-01-02T00:00:00Z"}, sent_ms=2),
        _record("m-2", {"show_id": "a", "changed_at": "2026-01-01T00:00:00Z"}, sent_ms=1),
        stream=stream,
    )
    assert json.loads(stream.entries[0].line)["occurred_at"] == "2026-01-02T00:00:00Z"


def test_what_can_never_succeed_is_dead_lettered_as_it_came_and_may_be_deleted() -> None:
    letters, stream = FakeDeadLetters(), FakeStream()
    outcome = _ingest(
        _record("m-1", "no json"),
        _record("m-2", {"show_id": "gone"}),
        _record("m-3", {"show_id": "odd"}),
        _record("m-4", {"show_id": "fine"}),
        catalog=FakeCatalog(gone=NOT_FOUND, odd=b"<html>"),
        stream=stream,
        dead_letters=letters,
    )
    assert [(one.message_id, one.body, one.reason_code) for one in letters.letters] == [
        ("m-1", "no json", "not_json"),
        ("m-2", '{"show_id": "gone"}', "show_not_found"),
        ("m-3", '{"show_id": "odd"}', "answer_not_json"),
    ]
    assert outcome.published == {"m-4"}
    for message_id in ("m-1", "m-2", "m-3"):
        outcome.settle(message_id)
    assert outcome.counts["DeadLettered"] == 3


def test_every_message_of_a_hopeless_show_is_dead_lettered() -> None:
    outcome = _ingest(
        _record("m-1", {"show_id": "gone"}), _record("m-2", {"id": "gone"}), catalog=FakeCatalog(gone=NOT_FOUND)
    )
    assert set(outcome.dead_lettered) == {"m-1", "m-2"}


def test_a_message_that_the_dead_letter_queue_does_not_take_fails() -> None:
    outcome = _ingest(_record("m-1", "x"), _record("m-2", "y"), dead_letters=FakeDeadLetters("m-1"))
    assert outcome.failed == {"m-1": "The queue is gone."}
    assert set(outcome.dead_lettered) == {"m-2"}
    with pytest.raises(MayYetSucceedError, match="queue is gone"):
        outcome.settle("m-1")


def test_a_show_that_cannot_be_asked_for_fails_its_messages_alone() -> None:
    outcome = _ingest(
        _record("m-1", {"show_id": "down"}), _record("m-2", {"show_id": "up"}), catalog=FakeCatalog(down=DOWN)
    )
    assert outcome.failed == {"m-1": "The catalog service is down."}
    assert outcome.published == {"m-2"}


def test_a_show_that_kinesis_refuses_fails_its_messages_alone() -> None:
    outcome = _ingest(
        _record("m-1", {"show_id": "a"}),
        _record("m-2", {"show_id": "a"}),
        _record("m-3", {"show_id": "b"}),
        stream=FakeStream("a"),
    )
    assert set(outcome.failed) == {"m-1", "m-2"}
    assert outcome.published == {"m-3"}


def test_an_unforeseen_error_fails_one_show_and_its_text_is_kept_out() -> None:
    outcome = _ingest(
        _record("m-1", {"show_id": "bug"}),
        _record("m-2", {"show_id": "b"}),
        catalog=FakeCatalog(bug=KeyError("anna@example.org")),
    )
    assert outcome.published == {"m-2"}
    assert "KeyError" in outcome.failed["m-1"]
    assert "test_ingest.py" in outcome.failed["m-1"]
    assert "anna" not in outcome.failed["m-1"]


def test_an_unforeseen_record_fails_alone() -> None:
    odd = {"messageId": "m-1", "body": "{}", "attributes": {"SentTimestamp": "soon"}}
    outcome = _ingest(odd, _record("m-2", {"show_id": "b"}))
    assert "ValueError" in outcome.failed["m-1"]
    assert outcome.published == {"m-2"}


def test_each_show_has_its_fair_part_of_the_time_that_is_left() -> None:
    catalog = FakeCatalog()
    _ingest(
        *[_record(f"m-{number}", {"show_id": str(number)}) for number in range(4)],
        catalog=catalog,
        remaining=RESERVED_SECONDS + 8,
    )
    assert catalog.limits == [2.0, 8 / 3, 4.0, 8.0]


def test_the_time_for_stream_and_dead_letters_is_not_spent_on_asking() -> None:
    catalog = FakeCatalog()
    _ingest(_record("m-1", {"show_id": "a"}), catalog=catalog, remaining=RESERVED_SECONDS - 1)
    assert catalog.limits == [0.0]


def test_missing_columns_and_unknown_fields_are_counted_for_what_is_published() -> None:
    known = json.dumps({"id": "a", "title": "A", "mood": "calm", "by": {"x": 1}}).encode()
    refused = json.dumps({"id": "b", "mood": "calm"}).encode()
    outcome = _ingest(
        _record("m-1", {"show_id": "a"}),
        _record("m-2", {"show_id": "b"}),
        catalog=FakeCatalog(a=known, b=refused),
        stream=FakeStream("b"),
    )
    assert outcome.counts["UnknownFields"] == 2
    assert outcome.counts["MissingOptionalColumns"] == 14


def test_every_metric_is_counted_with_every_batch() -> None:
    assert set(_ingest().counts) == set(METRICS)


def test_a_message_that_nothing_is_known_about_is_not_deleted() -> None:
    with pytest.raises(MayYetSucceedError):
        Outcome().settle("m-1")


def test_filtered_fields_do_not_reach_the_stream() -> None:
    stream = FakeStream()
    _ingest(
        _record("m-1", {"show_id": "a"}),
        catalog=FakeCatalog(a=b'{"id": "a", "email": "anna@example.org"}'),
        stream=stream,
        filtered_fields=("email",),
    )
    assert b"anna" not in stream.entries[0].line


class ListLog:
    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []

    def info(self, msg: object, *, extra: object = None) -> None:
        self.lines.append(("info", f"{msg} {extra}"))

    def warning(self, msg: object, *, extra: object = None) -> None:
        self.lines.append(("warning", f"{msg} {extra}"))

    def error(self, msg: object, *, extra: object = None) -> None:
        self.lines.append(("error", f"{msg} {extra}"))


def test_the_log_names_each_failed_and_dead_lettered_message_and_quotes_no_value() -> None:
    outcome = _ingest(
        _record("m-1", {"show_id": "down"}),
        _record("m-2", '{"by": "anna@example.org"}'),
        _record("m-3", {"show_id": "odd"}),
        catalog=FakeCatalog(down=DOWN, odd=b'{"id": "odd", "creator": "anna@example.org"}'),
    )
    log = ListLog()
    outcome.log_to(log)
    text = "\n".join(line for _, line in log.lines)
    assert [level for level, _ in log.lines] == ["warning", "warning", "warning", "info"]
    assert all(part in text for part in ("m-1", "m-2", "m-3", "no_show_id", "wrong_type"))
    assert "anna" not in text


def test_a_refused_token_is_logged_as_an_error() -> None:
    log = ListLog()
    Outcome(counts=Counter({"ApiUnauthorized": 1})).log_to(log)
    assert log.lines[0][0] == "error"


@pytest.mark.parametrize("seed", range(25))
def test_each_message_of_any_batch_comes_to_exactly_one_end(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - a reproducible mixture
    shows = [f"s{number}" for number in range(8)]
    ends: list[bytes | Exception | None] = [None, None, NOT_FOUND, DOWN, b"<html>", b'{"id": "other"}', KeyError("bug")]
    answers = {show: end for show in shows if (end := chance.choice(ends)) is not None}
    bodies = [*[{"show_id": show} for show in shows], "no json", {}, [1], {"id": ".."}]
    records = [_record(f"m-{number}", chance.choice(bodies)) for number in range(30)]
    letters = FakeDeadLetters(*chance.sample([record["messageId"] for record in records], 5))
    stream = FakeStream(*chance.sample(shows, 2))
    outcome = _ingest(*records, catalog=FakeCatalog(**answers), stream=stream, dead_letters=letters)
    every = [*outcome.published, *outcome.dead_lettered, *outcome.failed]
    assert sorted(every) == sorted(record["messageId"] for record in records)
    assert {letter.message_id for letter in letters.letters} == set(outcome.dead_lettered)
    published = {entry.show_id for entry in stream.entries}
    assert published == {
        json.loads(record["body"])["show_id"] for record in records if record["messageId"] in outcome.published
    }
