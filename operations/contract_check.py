"""Hold a record against today's contracts, as the flattening function would; it lands nothing.

It reads JSON with the standard library alone. Where it errs, a record is put back that is quarantined again, or left
that `--force` puts back: neither loses anything.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import NoReturn

from contracts import events
from contracts.reasons import ContractViolation, Reason
from contracts.views import rows

_DEEPEST = 254
"""Levels of nesting that the flattening function writes."""


def refusal(line: bytes) -> ContractViolation | None:
    """Why today's contract would refuse an event; None when it would land (as `unknown` too)."""
    try:
        body = _read(line)
        if not isinstance(body, dict):
            raise ContractViolation(reason=Reason.NOT_AN_OBJECT, sentence="the event is JSON, but no object")
        named = body.get("event_type")
        contract = events.by_type(named) if isinstance(named, str) else None
        if contract is not None:
            row = rows.reader(contract).read(body)
            _check_text({**row.columns, "extra": row.extra})
    except ContractViolation as violation:
        return violation
    return None


def _read(line: bytes) -> object:
    try:
        return json.loads(
            line.decode("utf-8-sig"),
            parse_float=Decimal,
            parse_int=_integer,
            parse_constant=_refuse_constant,
            object_pairs_hook=_distinct,
        )
    except ContractViolation:
        raise
    except RecursionError:
        raise ContractViolation(reason=Reason.TOO_DEEP, sentence="nested too deep") from None
    except ValueError:
        raise ContractViolation(reason=Reason.NOT_JSON, sentence="the bytes are no JSON text in UTF-8") from None


def _integer(digits: str) -> int | Decimal:
    return int(digits) if len(digits) <= 18 else Decimal(digits)


def _refuse_constant(name: str) -> NoReturn:
    raise ContractViolation(reason=Reason.NOT_JSON, sentence=f"the text holds {name}, which is no JSON number")


def _distinct(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ContractViolation(reason=Reason.DUPLICATE_KEY, sentence="an object holds a key twice")
    return found


def _check_text(columns: dict[str, object]) -> None:
    """Refuse what no row can hold: half surrogate pairs and nesting beyond the writer's."""
    waiting: list[tuple[object, int]] = [(columns, 0)]
    while waiting:
        node, depth = waiting.pop()
        if depth > _DEEPEST:
            raise ContractViolation(reason=Reason.TOO_DEEP, sentence="nested too deep")
        if isinstance(node, dict):
            waiting += [(part, depth + 1) for pair in node.items() for part in pair]
        elif isinstance(node, list):
            waiting += [(part, depth + 1) for part in node]
        elif isinstance(node, str) and not node.isascii():
            try:
                node.encode()
            except UnicodeEncodeError:
                raise ContractViolation(
                    reason=Reason.INVALID_TEXT, sentence="a text holds half of a surrogate pair"
                ) from None
