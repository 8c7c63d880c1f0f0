"""Read one event's bytes as JSON without losing a digit or a key; knows no contract and no row."""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from decimal import Decimal

import orjson

from contracts.reasons import ContractViolation, Reason
from lambdas.shared import exact_json

_SHAPE = bytes.maketrans(b"123456789.E", b"0000000000e")
_LONG_NUMBER, _SMALL_NUMBER = b"0" * 16, b"0e-000"
"""More digits than a double is sure to hold, or so small that it may become zero; others survive the fast parser."""
_WHOLE_SMALL_NUMBER = re.compile(rb"0e-0{3,}(?:[\s,\]}]|$)")
"""The second by itself: UUIDs hold its beginning often."""


def read_json(line: bytes, *, exact: bool = False) -> object:
    """The JSON value of one event.

    The fast parser rounds long numbers and lets the last of two equal keys win, so a text that could hold either is
    read again by the exact one, which gives `decimal.Decimal` for what a double or 64 bits would not hold.

    Args:
        line: the event's bytes.
        exact: read every fraction as `decimal.Decimal`.

    Raises:
        ContractViolation: not JSON, an object with a key twice, text that is no UTF-8, or nesting beyond reading.
    """
    line = line.removeprefix(BOM_UTF8)
    if exact:
        return _read_exactly(line)
    try:
        value = orjson.loads(line)
        again = orjson.dumps(value)
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        return _read_exactly(line)
    shape = line.translate(_SHAPE)
    if _LONG_NUMBER not in shape and (again == line or (same_quotes(line, again) and not _holds_small_number(shape))):
        return value
    return _read_exactly(line)


def same_quotes(line: bytes, again: bytes | bytearray) -> bool:
    """Whether a text and what was read from it, written again, hold as many quotation marks.

    If so, no key was lost to a second one of its name: it would have taken its marks along. Written again, a mark
    inside a text is one mark, as it was; if it was sent as a code, it might make good a lost one, so a line with such
    a code does not count as the same.
    """
    return line.count(b'"') == again.count(b'"') and not (b"\\" in line and b"\\u0022" in line)


def _holds_small_number(shape: bytes) -> bool:
    return _SMALL_NUMBER in shape and _WHOLE_SMALL_NUMBER.search(shape) is not None


def _read_exactly(line: bytes) -> object:
    # The writer refuses integers beyond 64 bits, and takes `decimal.Decimal` digit for digit.
    return exact_json.read(line, long_integers=Decimal)


def too_deep() -> ContractViolation:
    """The refusal of an event whose nesting no reader of the lake would follow."""
    return ContractViolation(reason=Reason.TOO_DEEP, sentence="the event is nested too deep to be kept as a row")
