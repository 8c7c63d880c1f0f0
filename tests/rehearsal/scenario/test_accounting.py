"""The account closes only when every event is somewhere, where it was promised to be."""

from __future__ import annotations

from typing import Any

from rehearsal.scenario.accounting import Account, DeadLetter, Found, GivenUp, SentEvent, SentMessage, account, digest


def _event(name: str | None, place: str = "1", **more: Any) -> SentEvent:
    return SentEvent(type="like", event_id=name, sequence_number=place, **more)


def _row(name: str, place: str = "1", **more: Any) -> Found:
    return Found(**{"type": "like", "event_id": name, "sequence_number": place, **more})


def _only(book: Account) -> Any:
    (line,) = book.lines
    return line


def test_a_landed_event_is_counted_once_however_often_it_was_delivered() -> None:
    book = account([_event("a"), _event("a")], [], [_row("a"), _row("a", "2")], [])
    line = _only(book)
    assert (line.sent, line.repeated, line.landed, line.deliveries, line.arrived_again) == (2, 1, 1, 2, 1)
    assert book.closes


def test_an_event_that_is_nowhere_is_missing_by_name() -> None:
    book = account([_event("a"), _event(None, "77")], [], [], [])
    assert book.missing == ["like a", "like sequence number 77"]
    assert not book.closes


def test_events_without_an_id_are_known_by_their_place_one_row_each() -> None:
    sent = [_event(None, "5"), _event(None, "5"), _event(None, "6")]
    x, y, z = _row("x", "5", derived=True), _row("y", "5", derived=True), _row("z", "6", derived=True)
    book = account(sent, [], [x, y, z], [])
    assert book.closes
    assert _only(book).landed == 3
    assert account(sent, [], [x, z], []).missing == ["like sequence number 5"]


def test_a_lost_event_does_not_take_the_row_of_its_neighbour_in_the_same_record() -> None:
    book = account([_event("a"), _event("b")], [], [_row("b")], [])
    assert book.missing == ["like a"]
    assert (_only(book).landed, _only(book).arrived_again) == (1, 0)


def test_a_lost_event_without_an_id_does_not_take_a_row_that_carries_a_producers_id() -> None:
    book = account([_event(None)], [], [_row("somebody's")], [])
    assert book.missing == ["like sequence number 1"]
    assert book.unexpected == ["a row that nobody sent: like somebody's"]


def test_an_event_that_is_sent_again_does_not_take_the_row_of_its_neighbour_without_an_id() -> None:
    sent = [_event("a"), _event("a", "2"), _event(None, "2")]
    book = account(sent, [], [_row("a"), _row("a", "2"), _row("seq-1", "2", derived=True)], [])
    assert book.closes
    assert (_only(book).sent, _only(book).repeated, _only(book).landed) == (3, 1, 2)


def test_each_line_of_one_record_without_an_id_is_held_against_its_own_promise() -> None:
    sent = [_event(None, expected="landed"), _event(None, expected="quarantined:not_json")]
    rows = [_row("seq-1", derived=True, reason="not_json"), _row("seq-2", derived=True)]
    assert account(sent, [], rows, []).closes


def test_what_was_sent_less_what_was_repeated_is_what_became_of_it() -> None:
    sent = [_event("a"), _event("a"), _event("b"), _event("c", digest=digest(b"c")), _event("d")]
    book = account(sent, [], [_row("a"), _row("b", reason="wrong_type")], [], [GivenUp(line=b"c", reason="E")])
    line = _only(book)
    ends = (line.landed, line.quarantined.total(), line.dead_lettered.total(), line.given_up.total(), len(line.missing))
    assert ends == (1, 1, 0, 1, 1)
    assert line.sent - line.repeated == sum(ends)


def test_a_row_that_nobody_sent_is_told() -> None:
    book = account([], [], [_row("ghost")], [])
    assert book.unexpected == ["a row that nobody sent: like ghost"]


def test_an_outcome_other_than_the_promised_one_is_told() -> None:
    book = account([_event("a", expected="quarantined:not_json")], [], [_row("a")], [])
    assert "promised to be quarantined:not_json and is landed" in book.unexpected[0]
    assert account([_event("a", expected="quarantined:not_json")], [], [_row("a", reason="not_json")], []).closes


def test_an_event_whose_id_could_not_be_read_is_found_by_its_place() -> None:
    assert account([_event("a", "9")], [], [_row("seq-1", "9", reason="duplicate_key")], []).closes


def test_a_show_change_is_landed_when_its_version_or_a_later_one_is() -> None:
    changes = [SentMessage(message_id=f"m{version}", show_id="s", version=version) for version in (1, 2)]
    entry = _row("e", type="show_catalog_entry", show_id="s", show_version=2)
    assert account([], changes, [entry], []).closes
    old = _row("e", type="show_catalog_entry", show_id="s", show_version=1)
    assert account([], changes, [old], []).missing == ["show change m2 (show s)"]


def test_a_dead_lettered_change_is_accounted_for_by_its_reason() -> None:
    change = SentMessage(message_id="m", show_id=None, expected="dead-lettered:not_json")
    book = account([], [change], [], [DeadLetter(message_id="m", reason="not_json")])
    assert book.closes
    assert _only(book).dead_lettered == {"not_json": 1}


def test_a_dead_letter_that_nobody_sent_and_a_record_given_up_are_told() -> None:
    book = account(
        [],
        [SentMessage(message_id="m", show_id="s")],
        [_row("e", show_id="s")],
        [DeadLetter(message_id="?", reason="r")],
        [GivenUp(line=b"lost", reason="Lambda.Timeout")],
    )
    assert book.unexpected == [
        "a dead letter that nobody sent: ? (r)",
        "Firehose gave a record of 4 bytes up: Lambda.Timeout; its bytes lie below the error prefix",
    ]


def test_what_firehose_gave_up_is_accounted_for_by_its_bytes_and_yet_told() -> None:
    sent = [_event("a", digest=digest(b"one\n"), expected="landed"), _event("b", digest=digest(b"two"))]
    book = account(sent, [], [], [], [GivenUp(line=b"one", reason="Lambda.FunctionError")])
    assert (_only(book).given_up, _only(book).dead_lettered) == ({"Lambda.FunctionError": 1}, {})
    assert book.missing == ["like b"]
    assert book.unexpected == ["Firehose gave like a up: Lambda.FunctionError; its bytes lie below the error prefix"]


def test_the_entry_of_a_show_that_firehose_gave_up_accounts_for_its_change() -> None:
    entry = b'{"event_type": "show_catalog_entry", "show": {"id": "s", "version": 2}}'
    changes = [SentMessage(message_id=f"m{version}", show_id="s", version=version) for version in (2, 3)]
    book = account([], changes, [], [], [GivenUp(line=entry, reason="E")])
    assert (_only(book).given_up, _only(book).dead_lettered) == ({"E": 1}, {})
    assert book.missing == ["show change m3 (show s)"]


def test_a_catalog_entry_that_landed_twice_is_told_by_its_event_id() -> None:
    changes = [SentMessage(message_id=name, show_id="s", version=1) for name in ("m1", "m2")]
    book = account([], changes, [_row("e", place, show_id="s", show_version=1) for place in ("1", "2")], [])
    assert book.closes
    assert (_only(book).landed, _only(book).arrived_again) == (2, 1)


def test_an_entry_of_history_is_no_answer_to_a_change_on_the_topic() -> None:
    change = SentMessage(message_id="m", show_id="s", version=2)
    old = _row("h", type="show_catalog_entry", show_id="s", show_version=2)
    sent = SentEvent(type="show_catalog_entry", event_id="h", sequence_number="1")
    assert account([sent], [change], [old], []).missing == ["show change m (show s)"]
