"""Read one event's bytes as JSON without losing a digit or a key; knows no contract and no row."""

from __future__ import annotations

import re
from decimal import Decimal

import orjson

from contracts.reasons import ContractViolation, Reason
from lambdas.shared import exact_json

_LONG_NUMBER = re.compile(rb"\d[\d.]{15}|\d[eE]-\d{3}")
"""More digits than a double is sure to hold, or so small that it may become zero; others survive the fast parser."""
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


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
    if line.startswith(_BYTE_ORDER_MARK):
        line = line[3:]
    if exact or _LONG_NUMBER.search(line):
        return _read_exactly(line)
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError:
        return _read_exactly(line)
    return _read_exactly(line) if _may_repeat_a_key(line, value) else value


def _may_repeat_a_key(line: bytes, value: object) -> bool:
    # Every key in the text ends in `":`, or has white space before its colon; a string may hold both, so a
    # difference is only a reason to look closer, and no difference means that each key was kept.
    spaced = b" :" in line or b"\n:" in line or b"\t:" in line or b"\r:" in line
    return spaced or line.count(b'":') != _count_keys(value)


def _count_keys(value: object) -> int:
    count = 0
    stack = [value]
    while stack:
        node = stack.pop()
        if type(node) is dict:
            count += len(node)
            stack.extend([item for item in node.values() if type(item) is dict or type(item) is list])
        elif type(node) is list:
            stack.extend([item for item in node if type(item) is dict or type(item) is list])
    return count


def _read_exactly(line: bytes) -> object:
    # The writer refuses integers beyond 64 bits, and takes `decimal.Decimal` digit for digit.
    return exact_json.read(line, long_integers=Decimal)


def too_deep() -> ContractViolation:
    """The refusal of an event whose nesting no reader of the lake would follow."""
    return ContractViolation(reason=Reason.TOO_DEEP, sentence="the event is nested too deep to be kept as a row")
