"""JSON that is read and written keeps every digit and every key."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from contracts.reasons import ContractViolation
from lambdas.shared.exact_json import read, write


@pytest.mark.parametrize(
    "text",
    [
        "9007199254740993",
        "-123456789012345678901234567890",
        "0.1000000000000000055511151231257827",
        "12345678901234567890.123456789012345678901234567890",
        "1.10",
        "-0.0",
        '"quotes \\" and \\\\ and \\u0000 and 夜話 🎧"',
        '{"a":[1,2.50,{"b":null,"c":true,"d":false}],"e":{},"f":[]}',
    ],
)
def test_what_is_read_is_written_digit_for_digit(text: str) -> None:
    assert write(read(text)) == text


@pytest.mark.parametrize("text", ["1e5", "1E-7", "2.5e300", "1e-300"])
def test_an_exponent_is_written_as_the_same_number(text: str) -> None:
    assert Decimal(write(read(text))) == Decimal(text)
    assert json.loads(write(read(text))) == json.loads(text)


def test_equal_objects_are_equal_texts_when_their_keys_are_sorted() -> None:
    one, other = read('{"b": [1, {"y": 2, "x": 3}], "a": 4}'), read('{"a":4,"b":[1,{"x":3,"y":2}]}')
    assert write(one, sort_keys=True) == write(other, sort_keys=True) == '{"a":4,"b":[1,{"x":3,"y":2}]}'


def test_a_text_is_one_line() -> None:
    assert "\n" not in write({"text": "one\ntwo\u2028three"}).replace("\u2028", "")


def test_a_byte_order_mark_is_passed_over() -> None:
    assert read(b"\xef\xbb\xbf{}") == {}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"\xff\xfe{\x00}\x00", "not_json"),
        ("{} {}", "not_json"),
        ("[NaN]", "not_json"),
        ("[-Infinity]", "not_json"),
        ('{"a": {"b": 1, "b": 1}}', "duplicate_key"),
        ("1e999999999", "out_of_range"),
        ("1e99999999999999999999", "out_of_range"),
        ("9" * 4301, "out_of_range"),
        ('{"a":' * 100_000, "too_deep"),
    ],
)
def test_what_would_lose_something_is_refused(text: str | bytes, reason: str) -> None:
    with pytest.raises(ContractViolation) as refused:
        read(text)
    assert refused.value.reason == reason
