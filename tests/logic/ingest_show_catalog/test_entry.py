"""What a catalog service's answer becomes on the stream."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from contracts.events.catalog import SHOW_CATALOG_ENTRY
from contracts.views.rows import reader
from contracts.views.samples import sample
from lambdas.ingest_show_catalog.entry import MAX_RECORD_BYTES, Entry, build
from lambdas.shared.failures import CanNeverSucceedError

NOW_MS = 1_794_988_800_000
SHOW = sample(SHOW_CATALOG_ENTRY)["show"]


def _build(answer: object, *, show_id: str = "show-1", **options: Any) -> Entry:
    text = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    return build(text, show_id=show_id, **{"changed_at": (), "now_ms": NOW_MS, **options})


def _event(entry: Entry) -> dict[str, Any]:
    event: dict[str, Any] = json.loads(entry.line, parse_float=Decimal)
    return event


def _code(answer: object, **options: Any) -> str:
    with pytest.raises(CanNeverSucceedError) as refused:
        _build(answer, **options)
    assert refused.value.sentence.endswith(".")
    return refused.value.code


def test_a_whole_show_becomes_an_event_of_its_contract() -> None:
    entry = _build(SHOW, show_id="show-1041")
    event = _event(entry)
    assert event["show"] == SHOW
    assert (event["event_type"], event["schema_version"]) == ("show_catalog_entry", SHOW_CATALOG_ENTRY.version)
    assert event["sent_at"] == NOW_MS
    assert event["event_id"] == entry.event_id
    assert entry.missing_optional_columns == entry.unknown_fields == 0
    row = reader(SHOW_CATALOG_ENTRY).read(event)
    assert row.columns["show_id"] == entry.partition_key == "show-1041"
    assert not row.extra


def test_an_entry_is_one_json_line() -> None:
    line = _build({"id": "show-1", "title": "one\ntwo"}).line
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1


def test_only_the_show_id_is_needed_and_every_missing_column_is_counted() -> None:
    entry = _build({"id": "show-1", "title": None})
    assert entry.missing_optional_columns == len(SHOW_CATALOG_ENTRY.columns) - 1
    assert _event(entry)["show"] == {"id": "show-1", "title": None}


def test_a_show_of_a_foreign_shape_travels_whole_below_show() -> None:
    foreign = {
        "show_id": 17,
        "name": "Late calls",
        "tracks": [{"isrc": "DEXO42360570", "length": 210.50}],
        "event_id": "theirs",
        "additional_info": {"nested": {"deeper": [None, True]}},
    }
    entry = _build(foreign, show_id="17")
    show = _event(entry)["show"]
    assert show.pop("id") == "17"
    assert show == {key: value for key, value in foreign.items() if key != "show_id"}
    assert entry.unknown_fields == 4


def test_an_id_of_another_kind_beside_the_id_is_kept() -> None:
    assert _event(_build({"id": "show-1", "show_id": "legacy-9"}))["show"]["show_id"] == "legacy-9"


def test_numbers_keep_every_digit() -> None:
    body = b'{"id": 9007199254740993, "price": 12345678901234567890.10, "count": 123456789012345678901234567890}'
    line = _build(body, show_id="9007199254740993").line
    assert b'"price":12345678901234567890.10' in line
    assert b'"count":123456789012345678901234567890' in line


def test_filtered_fields_leave_no_trace_at_any_depth() -> None:
    show = {
        "id": "show-1",
        "email": "top@example.org",
        "creator": {"id": "u-1", "email": "inner@example.org", "name": "Anna"},
        "guests": [{"email": "guest@example.org", "phone": {"home": "+43 1"}, "name": "Bo"}],
    }
    entry = _build(show, filtered_fields=("email", "phone.home", "creator.name"))
    assert b"example.org" not in entry.line
    assert b"+43" not in entry.line
    assert b"Anna" not in entry.line
    assert _event(entry)["show"]["guests"] == [{"phone": {}, "name": "Bo"}]


def test_the_shows_own_id_is_never_filtered_out() -> None:
    entry = _build({"id": "show-1", "creator": {"id": "u-1"}}, filtered_fields=("id", "show_id"))
    assert _event(entry)["show"] == {"id": "show-1", "creator": {}}


def test_a_change_delivered_twice_has_one_id() -> None:
    first = _build({"id": "show-1", "version": 7, "title": "A"}, changed_at=(1,))
    again = _build({"id": "show-1", "title": "A", "version": 7}, changed_at=(2,), now_ms=NOW_MS + 60_000)
    assert first.event_id == again.event_id


def test_a_change_without_a_version_that_is_delivered_twice_has_one_id() -> None:
    moments = ("2026-11-18T08:00:00.000Z", 1_794_988_799_000)
    first = _build({"id": "show-1", "title": "A"}, changed_at=moments)
    again = _build({"id": "show-1", "title": "A"}, changed_at=moments, now_ms=NOW_MS + 60_000)
    assert first.event_id == again.event_id


def test_a_show_without_a_version_that_goes_back_to_what_it_was_is_a_third_event() -> None:
    states = [("A", 1_794_988_700_000), ("B", 1_794_988_710_000), ("A", 1_794_988_720_000)]
    entries = [_build({"id": "show-1", "title": title}, changed_at=(moment,)) for title, moment in states]
    assert len({entry.event_id for entry in entries}) == 3


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"id": "show-1", "version": 7}, {"id": "show-1", "version": 8}),
        ({"id": "show-1", "title": "A"}, {"id": "show-1", "title": "B"}),
        ({"id": "show-1"}, {"id": "show-1", "version": 1}),
        ({"id": "show-1", "place": [1, 2]}, {"id": "show-1", "place": [2, 1]}),
    ],
)
def test_another_version_or_else_another_content_has_another_id(one: object, other: object) -> None:
    assert _build(one).event_id != _build(other).event_id


def test_two_shows_of_one_version_have_two_ids() -> None:
    one = _build({"id": "a", "version": 1}, show_id="a")
    assert one.event_id != _build({"id": "b", "version": 1}, show_id="b").event_id


def test_without_a_version_equal_content_has_one_id_whatever_its_order() -> None:
    one = _build(b'{"id": "show-1", "a": 1, "b": {"x": 1, "y": 2}}')
    assert one.event_id == _build(b'{"b": {"y": 2, "x": 1}, "a": 1, "id": "show-1"}').event_id


@pytest.mark.parametrize(
    ("show", "changed_at", "occurred_at"),
    [
        ({"updated_at": "2026-11-18T07:59:58.5Z"}, ("2026-01-01T00:00:00Z",), "2026-11-18T07:59:58.5Z"),
        ({}, ("2026-01-01T00:00:00Z", 5), "2026-01-01T00:00:00Z"),
        ({}, (None, 1794988700000), 1794988700000),
        ({}, ("yesterday", {"at": 1}, True, "2026-01-01T00:00:00Z"), "2026-01-01T00:00:00Z"),
        ({}, ("yesterday",), NOW_MS),
        ({"updated_at": None}, (), NOW_MS),
    ],
)
def test_it_happened_when_the_show_or_else_the_first_readable_source_says(
    show: dict[str, object], changed_at: tuple[object, ...], occurred_at: object
) -> None:
    assert _event(_build({"id": "show-1", **show}, changed_at=changed_at))["occurred_at"] == occurred_at


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (b"<html>", "answer_not_json"),
        (b"", "answer_not_json"),
        (b"\xff{}", "answer_not_json"),
        ([{"id": "show-1"}], "answer_not_an_object"),
        (None, "answer_not_an_object"),
        ({}, "missing_column"),
        ({"title": "no id"}, "missing_column"),
        ({"id": "show-2"}, "wrong_show"),
        ({"id": True}, "wrong_type"),
        ({"id": {"$oid": "show-1"}}, "wrong_type"),
        ({"id": "show-1", "version": "seven"}, "wrong_type"),
        ({"id": "show-1", "version": 2**63}, "out_of_range"),
        (b'{"id": "show-1", "version": 1e400}', "out_of_range"),
        (b'{"id": 1e3000}', "wrong_type"),
        ({"id": "show-1", "schedule": "weekly"}, "wrong_type"),
        ({"id": "show-1", "topics": "music"}, "wrong_type"),
        ({"id": "show-1", "updated_at": "yesterday"}, "wrong_type"),
        (b'{"id": "show-1", "id": "show-1"}', "duplicate_key"),
        (b'{"id": "show-1", "title": "\\ud800"}', "invalid_text"),
        (b'{"id": "show-1", "\\udfff": 1}', "invalid_text"),
        (b'{"id": "show-1", "a": ' + b"[" * 101 + b"]" * 101 + b"}", "too_deep"),
        (b'{"id": "show-1", "a": ' + b'[{"b":' * 60 + b"1" + b"}]" * 60 + b"}", "too_deep"),
    ],
)
def test_what_breaks_the_contract_can_never_succeed(answer: object, code: str) -> None:
    assert _code(answer) == code


def test_a_refusal_quotes_no_value_of_the_show() -> None:
    with pytest.raises(CanNeverSucceedError) as refused:
        _build({"id": "show-1", "version": "anna@example.org"})
    assert "anna" not in refused.value.sentence
    assert "show_version" in refused.value.sentence


def test_an_entry_up_to_the_limit_of_a_record_passes_and_a_longer_one_can_never_succeed() -> None:
    spare = MAX_RECORD_BYTES - _build({"id": "show-1", "description": ""}).size_bytes
    assert _build({"id": "show-1", "description": "x" * spare}).size_bytes == MAX_RECORD_BYTES
    assert _code({"id": "show-1", "description": "x" * (spare + 1)}) == "too_large"


def test_a_show_id_longer_than_a_partition_key_still_has_one_partition_key() -> None:
    show_id = "夜" * 300
    entry = _build({"id": show_id}, show_id=show_id)
    assert entry.partition_key == "夜" * 256
    assert _event(entry)["show"]["id"] == show_id
