"""What becomes of one event's bytes: the row, the unknown event, the quarantine row."""

from __future__ import annotations

import json
from base64 import b64decode
from decimal import Decimal
from typing import Any

import pytest

pytest.importorskip("orjson", reason="the flattening function's own package")

from contracts.events import EVENTS
from contracts.reasons import Reason
from contracts.views.samples import sample
from lambdas.flatten_events.landing import QUARANTINE_ZONE, Arrival, Landed, land

ARRIVAL = Arrival(sequence_number="4961", sub_sequence=0, arrived_at_ms=1_794_998_401_007)
PLAYBACK = '{"event_type":"playback_metric","occurred_at":1794998400123,"event_id":"e1",'
BODY = '"show":{"id":"s"},"playback":{"id":"p","listened_ms":1'


def _row(landed: Landed) -> dict[str, Any]:
    assert landed.line.endswith(b"\n")
    assert landed.line.count(b"\n") == 1
    row = json.loads(landed.line, parse_constant=lambda name: pytest.fail(f"{name} was landed"))
    assert isinstance(row, dict)
    return row


def _playback(more: str = "", top: str = "") -> bytes:
    return f"{PLAYBACK}{top}{BODY}{more}}}}}".encode()


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.type)
@pytest.mark.parametrize("full", [True, False])
def test_a_sample_of_every_event_lands_in_its_own_partition(event: Any, full: bool) -> None:
    landed = land(json.dumps(sample(event, full=full)).encode(), ARRIVAL)
    assert (landed.zone, landed.type, landed.reason) == ("events", event.type, None)
    assert set(_row(landed)) <= set(event.table.column)


def test_the_row_says_where_and_when_the_event_first_arrived() -> None:
    row = _row(land(_playback(), ARRIVAL))
    assert row["arrived_at"] == "2026-11-18 10:40:01.007"
    assert row["sequence_number"] == "4961"
    assert row["event_id_derived"] is False
    assert row["occurred_at"] == "2026-11-18 10:40:00.123"


@pytest.mark.parametrize("number", [2**53 + 1, 2**63 - 1, -(2**63)])
def test_large_integers_keep_every_digit(number: int) -> None:
    assert _row(land(_playback(f',"bytes":{number}'), ARRIVAL))["playback_bytes"] == number
    assert _row(land(_playback(f',"bytes":"{number}"'), ARRIVAL))["playback_bytes"] == number


def test_an_integer_beyond_64_bits_is_quarantined_not_rounded() -> None:
    landed = land(_playback(f',"bytes":{2**63}'), ARRIVAL)
    assert landed.reason is Reason.OUT_OF_RANGE
    assert _row(landed)["column"] == "playback_bytes"


@pytest.mark.parametrize("number", ["12345678901234567890123", "0.1234567890123456789", "1e400", "1E+22"])
def test_numbers_that_no_contract_knows_are_kept_digit_for_digit(number: str) -> None:
    row = _row(land(_playback(f',"surprise":{number}'), ARRIVAL))
    assert json.loads(row["extra"], parse_float=Decimal) == {"playback": {"surprise": Decimal(number)}}


def test_a_decimal_is_exact_to_the_last_digit() -> None:
    text = '{"event_type":"promotion_exposure","occurred_at":1,"promotion":{"id":"p","placement":"home","cost":%s}}'
    assert _row(land((text % "0.1").encode(), ARRIVAL))["promotion_cost"] == "0.1000"
    assert _row(land((text % "12345678.0001").encode(), ARRIVAL))["promotion_cost"] == "12345678.0001"
    assert land((text % "0.00001").encode(), ARRIVAL).reason is Reason.OUT_OF_RANGE


def test_what_the_contract_does_not_know_is_kept_in_its_place_and_counted() -> None:
    landed = land(_playback(',"codec":"opus"', '"beta":[1,{"a":null}],"device":{"os":"ios","jail":true},'), ARRIVAL)
    row = _row(landed)
    assert json.loads(row["extra"]) == {
        "beta": [1, {"a": None}],
        "device": {"jail": True},
        "playback": {"codec": "opus"},
    }
    assert row["device_os"] == "ios"
    assert landed.unknown_fields == 3


def test_a_flat_key_that_bears_a_columns_name_does_not_overwrite_the_column() -> None:
    landed = land(_playback(top='"device_os":"fake","device":{"os":"ios"},'), ARRIVAL)
    row = _row(landed)
    assert row["device_os"] == "ios"
    assert json.loads(row["extra"]) == {"device_os": "fake"}
    assert landed.collisions == 1


def test_a_field_that_a_struct_does_not_know_is_kept_with_its_value() -> None:
    vote = (
        b'{"event_type":"poll_vote","occurred_at":1,"show":{"id":"s"},"poll":{"id":"p","option_id":"a","options":%s}}'
    )
    row = _row(land(vote % b'[{"id":"a","votes":1,"colour":"red"}]', ARRIVAL))
    assert row["poll_options"] == [{"id": "a", "votes": 1}]
    assert json.loads(row["extra"]) == {"poll": {"options": [{"id": "a", "votes": 1, "colour": "red"}]}}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"not json", Reason.NOT_JSON),
        (b'{"a":', Reason.NOT_JSON),
        (b'{"a":NaN}', Reason.NOT_JSON),
        (b'{"a":"\xff"}', Reason.NOT_JSON),
        (b"[1,2]", Reason.NOT_AN_OBJECT),
        (b'"text"', Reason.NOT_AN_OBJECT),
        (b'{"a":1,"a":2}', Reason.DUPLICATE_KEY),
        (b'{"x":{"a":1,"a" : 2},"t":"\\":"}', Reason.DUPLICATE_KEY),
        (b'{"event_type":"\\ud800"}', Reason.INVALID_TEXT),
        (b"[" * 100_000 + b"]" * 100_000, Reason.TOO_DEEP),
        (
            b'{"event_type":"like","occurred_at":1,"show":{"id":"s"},"x":' + b"[" * 300 + b"]" * 300 + b"}",
            Reason.TOO_DEEP,
        ),
        (b'{"event_type":"like","show":{"id":"s"}}', Reason.MISSING_COLUMN),
        (b'{"event_type":"like","occurred_at":1,"show":{"id":null}}', Reason.MISSING_COLUMN),
        (b'{"event_type":"like","occurred_at":1,"show":"s"}', Reason.WRONG_TYPE),
        (b'{"event_type":"like","occurred_at":1,"show":{"id":["s"]}}', Reason.WRONG_TYPE),
        (b'{"event_type":"like","occurred_at":"soon","show":{"id":"s"}}', Reason.WRONG_TYPE),
        (b'{"event_type":"like","occurred_at":1e300,"show":{"id":"s"}}', Reason.WRONG_TYPE),
        (b'{"event_type":"like","occurred_at":999999999999999,"show":{"id":"s"}}', Reason.OUT_OF_RANGE),
        (b'{"event_type":"like","occurred_at":1,"show":{"id":"s"},"like":{"count":2147483648}}', Reason.OUT_OF_RANGE),
        (b'{"event_type":"like","occurred_at":1,"show":{"id":"s"},"like":{"count":true}}', Reason.WRONG_TYPE),
    ],
    ids=lambda value: value.decode(errors="replace")[:40] if isinstance(value, bytes) else value.value,
)
def test_a_record_that_breaks_its_contract_is_a_quarantine_row_with_its_bytes(line: bytes, reason: Reason) -> None:
    landed = land(line, ARRIVAL)
    row = _row(landed)
    assert landed.zone == QUARANTINE_ZONE
    assert (landed.reason, row["reason_code"]) == (reason, reason.value)
    original = row["original"]
    assert (b64decode(original) if row["original_encoding"] == "base64" else original.encode()) == line
    assert row["event_id"]


def test_a_refusal_quotes_no_value() -> None:
    row = _row(land(b'{"event_type":"like","occurred_at":"my secret","show":{"id":"s"}}', ARRIVAL))
    assert "secret" not in row["reason"]


@pytest.mark.parametrize(
    "text",
    ['{"a" : {"b" : 1, "c": [{"b": 2}]}}', '{"text":"say \\"yes\\": now","n":1}', '\ufeff{"a":1}', '{"t":" : "}'],
)
def test_text_that_only_looks_like_a_repeated_key_is_taken(text: str) -> None:
    landed = land(text.encode(), ARRIVAL)
    assert (landed.zone, landed.type) == ("events", "unknown")


def test_an_event_of_an_unknown_type_lands_whole_with_its_type_as_a_column() -> None:
    line = '{"event_type":"teleport", "to" :{"x":1.50,"id":12345678901234567890},"t":"ü"}'
    landed = land(line.encode(), ARRIVAL)
    row = _row(landed)
    assert landed.type == "unknown"
    assert row["event_type"] == "teleport"
    assert row["body"] == line


def test_a_missing_id_is_derived_from_the_place_on_the_stream_and_flagged() -> None:
    line = b'{"event_type":"like","occurred_at":1,"show":{"id":"s"}}'
    first, again = land(line, ARRIVAL), land(line, ARRIVAL)
    elsewhere = land(line, Arrival(sequence_number="4962", sub_sequence=0, arrived_at_ms=1))
    assert _row(first)["event_id"] == _row(again)["event_id"] != _row(elsewhere)["event_id"]
    assert _row(first)["event_id_derived"] is True
    assert first.derived_id


def test_lines_of_one_stream_record_get_different_ids() -> None:
    lines = [b'{"event_type":"like","occurred_at":%d,"show":{"id":"s"}}' % moment for moment in (1, 2)]
    assert len({_row(land(line, ARRIVAL))["event_id"] for line in lines}) == 2
