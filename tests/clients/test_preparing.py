"""What an event becomes before it travels, and what is refused."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from clients.amp_events import InvalidEvent, preparing
from contracts.__main__ import write_client
from contracts.event import Event
from contracts.events import EVENTS
from contracts.views.samples import sample
from lambdas.flatten_events.landing import EVENTS_ZONE, Arrival, land
from tests.clients.fakes import like

every_event = pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.type)


def _line(event: dict[str, Any], *, allow_unknown: bool = False) -> bytes:
    return preparing.line(event, now_ms=lambda: 1_795_000_000_000, allow_unknown=allow_unknown)


def test_the_shipped_contracts_are_the_platforms(tmp_path: Path) -> None:
    (written,) = write_client(tmp_path)
    shipped = Path(preparing.__file__).parent / "contracts.json"
    assert shipped.read_text() == written.read_text(), "run: make docs"


@every_event
@pytest.mark.parametrize("full", [True, False])
def test_a_sample_of_every_contract_is_taken_and_lands_in_its_table(event: Event, full: bool) -> None:
    line = _line(sample(event, full=full))
    landed = land(line, Arrival(sequence_number="1", sub_sequence=0, arrived_at_ms=1_795_000_000_000))
    assert (landed.zone, landed.type, landed.derived_id) == (EVENTS_ZONE, event.type, False)


def test_what_the_event_does_not_say_is_added() -> None:
    body = json.loads(_line({"event_type": "like", "occurred_at": 1, "show": {"id": "s"}, "event_id": ""}))
    assert len(body.pop("event_id")) == 36
    assert body == {
        "event_type": "like", "occurred_at": 1, "show": {"id": "s"}, "sent_at": 1_795_000_000_000, "schema_version": 1,
    }  # fmt: skip


def test_what_the_event_says_stays_and_the_event_given_is_not_touched() -> None:
    event = like("mine") | {"sent_at": "2026-11-18T08:00:00Z", "schema_version": 7}
    before = dict(event)
    assert json.loads(_line(event)) == before
    silent = like("mine")
    _line(silent)
    assert silent == like("mine")


def test_a_line_holds_no_newline_whatever_the_text_holds() -> None:
    line = _line(like("a\nb\r\u2028🎙"))
    assert b"\n" not in line
    assert json.loads(line)["event_id"] == "a\nb\r\u2028🎙"


@pytest.mark.parametrize(
    ("broken", "path"),
    [
        ({"occurred_at": None}, "occurred_at"),
        ({"occurred_at": "yesterday"}, "occurred_at"),
        ({"show": {}}, "show.id"),
        ({"like": {"count": 0.5}}, "like.count"),
        ({"like": {"count": math.nan}}, "like.count"),
        ({"more": [1, {"deep": math.inf}]}, "more[1].deep"),
        ({"more": {"alice@example.com": "\ud800"}}, "more.*"),
        ({"more": {1: "a"}}, "more"),
        ({"more": object()}, "more"),
        ({"more": 10**400}, "more"),
    ],
)
def test_a_broken_event_is_refused_by_its_path(broken: dict[str, object], path: str) -> None:
    with pytest.raises(InvalidEvent) as caught:
        _line(like("x") | broken)
    assert caught.value.path == path


def test_a_refusal_quotes_no_value() -> None:
    with pytest.raises(InvalidEvent) as caught:
        _line(like("x") | {"occurred_at": "secret-value"})
    assert "secret-value" not in str(caught.value)
    with pytest.raises(InvalidEvent) as caught:
        _line({"event_type": "secret-value"})
    assert "secret-value" not in str(caught.value)


def test_an_event_that_nests_too_deep_or_is_too_long_is_refused() -> None:
    nested: object = "bottom"
    for _ in range(5_000):
        nested = [nested]
    with pytest.raises(InvalidEvent, match="100 deep"):
        _line(like("x") | {"more": nested})
    with pytest.raises(InvalidEvent, match="bytes of JSON"):
        _line(like("x" * 1_100_000))


@pytest.mark.parametrize("event_type", [None, 5, "", "no_such_event"])
def test_an_unknown_type_is_refused_unless_it_is_allowed(event_type: object) -> None:
    with pytest.raises(InvalidEvent, match=r"event_type should be one of .*like"):
        _line({"event_type": event_type})


def test_an_allowed_unknown_type_travels_unchecked_and_with_an_id() -> None:
    body = json.loads(_line({"event_type": "brand_new", "x": [1]}, allow_unknown=True))
    assert (body["event_type"], body["x"], "schema_version" in body) == ("brand_new", [1], False)
    assert body["event_id"]
    with pytest.raises(InvalidEvent):
        _line({"x": [1]}, allow_unknown=True)
