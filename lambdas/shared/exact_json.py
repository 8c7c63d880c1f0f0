"""Read and write JSON without losing a digit or a key; it knows no contract and no message."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import NoReturn

from contracts.reasons import ContractViolation, Reason

MAX_EXPONENT = 4000
"""Largest power of ten of a number that is kept; a larger one is a few bytes that cost a reader its memory."""

_SAFE_DIGITS = 18
_SHOWN_CHARACTERS = 200


def read(text: str | bytes, *, long_integers: type[int] | type[Decimal] = int) -> object:
    """The JSON value of a text; fractions come as `decimal.Decimal`, integers as `int`.

    Integers of more than 18 digits, which may not fit 64 bits, come as `long_integers`.

    Raises:
        ContractViolation: not JSON or no UTF-8, a key twice in one object, nesting or a number beyond reading.
    """
    try:
        # The text is decoded here because the parser would guess UTF-16 and UTF-32 too.
        return json.loads(
            text.decode("utf-8-sig") if isinstance(text, bytes) else text,
            parse_float=_exact,
            parse_int=int if long_integers is int else _exact_integer,
            parse_constant=_refuse_constant,
            object_pairs_hook=_with_distinct_keys,
        )
    except json.JSONDecodeError as error:
        sentence = f"the text is no JSON: {error.msg} at character {error.pos}"
        raise ContractViolation(reason=Reason.NOT_JSON, sentence=sentence) from None
    except UnicodeDecodeError as error:
        sentence = f"the bytes are no UTF-8 text: {error.reason} at byte {error.start}"
        raise ContractViolation(reason=Reason.NOT_JSON, sentence=sentence) from None
    except RecursionError:
        raise ContractViolation(reason=Reason.TOO_DEEP, sentence="the JSON is nested too deep to be read") from None
    except ContractViolation:
        raise
    except ValueError:
        # Python reads no integer of more than 4,300 digits.
        raise _number_out_of_range() from None


def write(value: object, *, sort_keys: bool = False) -> str:
    """The JSON text of a value that `read` gave, on one line; `sort_keys` makes equal values equal texts.

    The depth is the caller's to bound; it recurses as deep as the value is nested.
    """
    return "".join(_parts(value, sort_keys))


def _parts(value: object, sort_keys: bool) -> Iterator[str]:
    if isinstance(value, dict):
        separator = "{"
        for key, item in sorted(value.items()) if sort_keys else value.items():
            yield f"{separator}{json.dumps(key, ensure_ascii=False)}:"
            yield from _parts(item, sort_keys)
            separator = ","
        yield "}" if value else "{}"
    elif isinstance(value, list):
        separator = "["
        for item in value:
            yield separator
            yield from _parts(item, sort_keys)
            separator = ","
        yield "]" if value else "[]"
    elif isinstance(value, Decimal):
        yield str(value)
    else:
        yield json.dumps(value, ensure_ascii=False)


def _exact(digits: str) -> Decimal:
    try:
        number = Decimal(digits)
    except InvalidOperation:
        raise _number_out_of_range() from None
    if abs(number.adjusted()) > MAX_EXPONENT:
        raise _number_out_of_range()
    return number


def _exact_integer(digits: str) -> int | Decimal:
    return int(digits) if len(digits) <= _SAFE_DIGITS else _exact(digits)


def _number_out_of_range() -> ContractViolation:
    return ContractViolation(
        reason=Reason.OUT_OF_RANGE, sentence=f"a number is longer than {MAX_EXPONENT} digits, or its exponent is"
    )


def _refuse_constant(name: str) -> NoReturn:
    raise ContractViolation(reason=Reason.NOT_JSON, sentence=f"the text holds {name}, which is no JSON number")


def _with_distinct_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        repeated = next(key for key in keys if keys.count(key) > 1)
        raise ContractViolation(
            reason=Reason.DUPLICATE_KEY, column=repeated[:_SHOWN_CHARACTERS], sentence="an object holds this key twice"
        )
    return found
