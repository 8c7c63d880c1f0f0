"""Read one event's bytes as JSON without losing a digit or a key; knows no contract and no row."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import NoReturn

import orjson

from contracts.reasons import ContractViolation, Reason

_LONG_NUMBER = re.compile(rb"\d[\d.]{15}")
"""More digits than a double is sure to hold; shorter numbers survive the fast parser unchanged."""
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
    try:
        text = line.decode()
    except UnicodeDecodeError as error:
        raise ContractViolation(
            reason=Reason.NOT_JSON, sentence=f"the bytes are no UTF-8 text: {error.reason} at byte {error.start}"
        ) from None
    try:
        return json.loads(
            text,
            parse_float=Decimal,
            parse_int=_exact_integer,
            parse_constant=_refuse_constant,
            object_pairs_hook=_object_with_distinct_keys,
        )
    except json.JSONDecodeError as error:
        raise ContractViolation(
            reason=Reason.NOT_JSON, sentence=f"the text is no JSON: {error.msg} at character {error.pos}"
        ) from None
    except RecursionError:
        raise too_deep() from None


def too_deep() -> ContractViolation:
    """The refusal of an event whose nesting no reader of the lake would follow."""
    return ContractViolation(reason=Reason.TOO_DEEP, sentence="the event is nested too deep to be kept as a row")


def _exact_integer(digits: str) -> int | Decimal:
    # 18 digits fit 64 bits; longer ones stay exact as Decimal, because the writer refuses larger integers.
    return int(digits) if len(digits) <= 18 else Decimal(digits)


def _refuse_constant(name: str) -> NoReturn:
    raise ContractViolation(reason=Reason.NOT_JSON, sentence=f"the text holds {name}, which is no JSON number")


def _object_with_distinct_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        repeated = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise ContractViolation(
            reason=Reason.DUPLICATE_KEY, column=repeated[:200], sentence="an object holds this key twice"
        )
    return found
