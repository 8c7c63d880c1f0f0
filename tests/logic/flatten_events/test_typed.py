"""The fast way of reading gives to the byte what the exact way gives, and is the way that plain events take."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

pytest.importorskip("hypothesis", reason="needs requirements-dev.txt")
pytest.importorskip("msgspec", reason="the flattening function's own package")

import msgspec
from hypothesis import example, given, settings
from hypothesis import strategies as some

from contracts.event import Event
from contracts.events import EVENTS, by_type
from contracts.model import Column
from contracts.views.samples import sample
from lambdas.flatten_events import typed
from lambdas.flatten_events.landing import Arrival, land, land_exactly

ARRIVAL = Arrival(sequence_number="4961", sub_sequence=3, arrived_at_ms=1_794_998_401_007)
NUMBERS = (
    "0", "-0", "1", "-1", "0.0", "-0.0", "1.0", "0.5", "1e0", "1E2", "1e+2", "1e-2", "9e2", "1e5", "1E16", "1e15",
    "123456789012345680", "0.1234567890123456789", "1e-7", "5e-324", "1e-400", "1e400", "9007199254740992",
    "9007199254740993", "9007199254740993.0", "-9007199254740994.0", "2147483647", "2147483648", "-2147483649",
    "9223372036854775807", "9223372036854775808", "-9223372036854775809", "18446744073709551616", "01", "+1", ".5",
    "5.", "NaN", "Infinity", "-Infinity", "1e99999999999", "12345678901234567890.5", "253402300799999",
    "253402300800000", "-62135596800001",
)  # fmt: skip
TEXTS = (
    "", "a", "ü❤️", "\\n\\t\\b", "\\u0022", "\\u00fc", "\\ud83d\\ude00", "\\ud800", "\\/", '\\"', '\\":', "\\u0000",
    "\x7f", "1", "-12", "1.5", "2026-11-18",
    "2026-W47-3", "20261118", "2026-11-18T08:00:00.123Z", "2026-11-18 08:00:00Z",
    "2026-11-18T08:00:00.123456Z", "2026-11-18T08:00", "2026-11-18T24:00:00Z", "2026-11-18T23:59:60Z",
    "2026-02-30T00:00:00Z", "2026-11-18T08:00:00.123+02:00", "2026-11-18x08:00:00Z", "0000-01-01T00:00:00Z",
    "٢٠٢٦-11-18T08:00:00Z", "2026-11-18T08:00:00.12Z", "2026-11-18T08:00:00,123Z", "1794998400123",
)  # fmt: skip
SCALARS = some.one_of(
    some.sampled_from(NUMBERS),
    some.sampled_from(TEXTS).map(lambda text: f'"{text}"'),
    some.sampled_from(
        ["null", "true", "false", "[]", "{}", '["a",null]', '{"k":"v","k":"w"}', '[{"id":"a","votes":1}]']
    ),
    some.integers(-(2**70), 2**70).map(str),
    some.floats(allow_nan=False, allow_infinity=False).map(repr),
    some.text(max_size=8).map(json.dumps),
    some.text(max_size=8).map(lambda text: json.dumps(text.encode(errors="replace").decode(), ensure_ascii=False)),
)
"""JSON texts of values, odd ones and no JSON among them."""


def _read(line: bytes) -> Any | None:
    return typed.read(typed.named_type(line), line)


def _nested(event: Event, values: dict[str, str]) -> dict[str, Any]:
    """The texts of column values at their places."""
    body: dict[str, Any] = {}
    for column in event.sent:
        if column.path in values:
            node = body
            for key in column.keys[:-1]:
                node = node.setdefault(key, {})
            node[column.keys[-1]] = values[column.path]
    return body


def _write(node: dict[str, Any], rand: random.Random, space: str) -> list[str]:
    """The members of an object as text, in any order."""
    members = []
    for key in rand.sample(list(node), len(node)):
        value = node[key]
        text = value if isinstance(value, str) else "{" + f",{space}".join(_write(value, rand, space)) + "}"
        members.append(f'"{key}"{space}:{space}{text}')
    return members


def _sent(column: Column, event: Event, value: object) -> str:
    return json.dumps(event.type if column.path == "event_type" else value, ensure_ascii=False)


@some.composite
def lines(draw: some.DrawFn) -> bytes:
    """Events that keep their contract but for some oddities: values, keys twice, unknown keys, spaces, damage."""
    event = draw(some.sampled_from(EVENTS))
    rand = random.Random(draw(some.integers(0, 2**32)))  # noqa: S311 - no secret
    full = sample(event, index=rand.randrange(3))
    values = {}
    for column in event.sent:
        value: Any = full
        for key in column.keys:
            value = value[key]
        if column.required or rand.random() < 0.8:
            values[column.path] = _sent(column, event, value)
    for path in draw(some.lists(some.sampled_from([column.path for column in event.sent]), max_size=2)):
        values[path] = draw(SCALARS)
    space = draw(some.sampled_from(["", "", "", " ", "\t"]))
    members = _write(_nested(event, values), rand, space)
    for _ in range(draw(some.sampled_from([0, 0, 0, 1, 2]))):
        kind = rand.randrange(3)
        twin = rand.choice(members)
        extra = [
            twin,
            f'"{rand.choice(["new", "device_os", "event_type"])}":{draw(SCALARS)}',
            f"{twin.split(':')[0]}:0",
        ]
        members.insert(rand.randrange(len(members) + 1), extra[kind])
    line = ("{" + f",{space}".join(members) + "}").encode(errors="surrogatepass")
    if draw(some.integers(0, 9)) == 0 and line:
        place = rand.randrange(len(line))
        line = line[:place] + draw(some.binary(max_size=3)) + line[place + rand.randrange(3) :]
    return line


@settings(max_examples=1500, deadline=None)
@given(lines())
@example(b'{"event_type":"like","event_id":"e","occurred_at":1,"show":{"id":"s","id":"s"}}')
@example(b'{"event_type":"like","event_type":"like","occurred_at":1,"show":{"id":"\\u0022\\u0022"}}')
@example(b'{"event_type":"click","occurred_at":1,"click":{"target":"t","x":1,"x":9e2,"y":9e2}}')
@example(b'{"event_type":"click","occurred_at":1,"click":{"target":"t","x":9e9,"y":1e-7,"utm":{"":"",'
         b'"":""}}}')  # fmt: skip
@example(b'{"x":{"event_type":"like"},"event_type":"click","occurred_at":1,"click":{"target":"t"}}')
@example(b'{"event_type":"strange","event_id":0.1234567890123456}')
@example(b'{"event_type":"strange","event_id":"e","event_id":"e"}')
@example(b'{"a":{"event_type":"strange"},"event_type":"like","event_id":"e","occurred_at":1,"show":{"id":"s"}}')
@example(b'{"event_type":"strange","event_id":"e","n":1e22}')
@example(b'{"event_type":"strange","event_id":""}')
def test_the_fast_way_gives_what_the_exact_way_gives(line: bytes) -> None:
    assert land(line, ARRIVAL) == land_exactly(line, ARRIVAL)


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.type)
@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": ")], ids=["compact", "spaced"])
@pytest.mark.parametrize("full", [True, False])
def test_a_plain_event_takes_the_fast_way(event: Event, full: bool, separators: tuple[str, str]) -> None:
    line = json.dumps(sample(event, full=full), separators=separators).encode()
    assert _read(line) is not None


@pytest.mark.parametrize(
    "own",
    [
        b'"show":{"id":5}',
        b'"show":{"id":"s","name":"unknown"}',
        b'"show":{"id":"s","id":"s"}',
        b'"show":{"id":"s"},"like":{"count":"3"}',
        b'"show":{"id":"s"},"like":{"count":3.0}',
        b'"show":{"id":"s"},"like":{"count":2147483648}',
        b'"show":{"id":"\xff"}',
        b'"show":{"id":"s"},"user":null',
    ],
)
def test_an_event_that_is_not_plain_is_left_to_the_exact_way(own: bytes) -> None:
    assert _read(b'{"event_type":"like","occurred_at":1,%s}' % own) is None


def test_a_null_and_an_absent_column_are_plain() -> None:
    line = b'{"event_type":"like","occurred_at":1,"sent_at":null,"device":{"os":null},"show":{"id":"s"}}'
    assert _read(line) is not None
    assert land(line, ARRIVAL) == land_exactly(line, ARRIVAL)


def test_a_short_double_is_sent_at_most_so_much_shorter_than_it_is_written_again() -> None:
    mantissas = [str(whole) for whole in range(1, 1000)]
    mantissas += [f"{whole}.{part}" for whole in range(10) for part in (0, 1, 5, 10, 12, 99, 125)]
    saved = {}
    for mantissa in mantissas:
        for exponent in range(-8, 9):
            for text in (f"{mantissa}e{exponent}", f"-{mantissa}E{exponent}"):
                double = float(text)
                if typed.is_short(double):
                    saved[text] = len(msgspec.json.encode(double)) - len(text)
    assert len(saved) > 5_000
    assert max(saved.values()) == typed.SHORTER_CHARACTERS


def test_a_contract_with_a_time_inside_another_type_is_read_exactly() -> None:
    event = Event(
        type="odd",
        version=1,
        owner="a team",
        description="An event.",
        columns=(Column(path="times", type="array<timestamp>", description="Times."),),
    )
    with pytest.raises(typed.NotPlainError):
        typed.reader(event)


def test_a_contract_with_columns_of_every_type_is_read_in_one_pass() -> None:
    contract = by_type("show_catalog_entry")
    assert contract is not None
    columns = (
        Column(path="a.day", type="date", description="A day."),
        Column(path="a.price", type="decimal(12,2)", description="A price.", required=True),
        Column(path="a.b.shares", type="map<string,double>", description="Shares."),
        Column(path="from", type="boolean", description="A word of Python."),
    )
    event = Event(type="odd", version=1, owner="a team", description="An event.", columns=columns)
    row = typed.reader(event)(
        b'{"event_type":"odd","occurred_at":1,"from":true,"a":{"day":"2026-11-18","price":"1.5","b":{"shares":{"x":1e3}}}}'
    )
    assert (row.a_day, row.a_price, row.a_b_shares) == ("2026-11-18", "1.50", {"x": 1000.0})
