"""The Condition element: every operator of the policy language, compiled once and evaluated often.

It must not fetch context: it is given lower-case condition keys with their values.
"""

from __future__ import annotations

import base64
import ipaddress
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from rehearsal.engine.iam.model import PolicyError
from rehearsal.engine.iam.patterns import arn_matches, literal, matches, substitute, variables_in

Comparison = Callable[[str, str], bool]
Context = Mapping[str, Sequence[str]]


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise PolicyError(f"A Numeric condition compares {text!r}: give a number.") from None


def _instant(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        raise PolicyError(f"A Date condition compares {text!r}: give ISO 8601 or epoch seconds.") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _in_network(wanted: str, given: str) -> bool:
    try:
        network = ipaddress.ip_network(wanted, strict=False)
    except ValueError:
        raise PolicyError(f"An IpAddress condition compares {wanted!r}: give an address or a range.") from None
    return ipaddress.ip_address(given) in network


def _same_bytes(wanted: str, given: str) -> bool:
    return base64.b64decode(wanted) == base64.b64decode(given)


def _equal(wanted: str, given: str) -> bool:
    return literal(wanted) == given


def _equal_ignoring_case(wanted: str, given: str) -> bool:
    return literal(wanted).casefold() == given.casefold()


# name in lower case -> (comparison of a policy value with a request value, negated);
# IAM "Condition operators" page ("IAM JSON policy elements: Condition operators").
_OPERATORS: Mapping[str, tuple[Comparison, bool]] = {
    "stringequals": (_equal, False),
    "stringnotequals": (_equal, True),
    "stringequalsignorecase": (_equal_ignoring_case, False),
    "stringnotequalsignorecase": (_equal_ignoring_case, True),
    "stringlike": (matches, False),
    "stringnotlike": (matches, True),
    "numericequals": (lambda wanted, given: _number(given) == _number(wanted), False),
    "numericnotequals": (lambda wanted, given: _number(given) == _number(wanted), True),
    "numericlessthan": (lambda wanted, given: _number(given) < _number(wanted), False),
    "numericlessthanequals": (lambda wanted, given: _number(given) <= _number(wanted), False),
    "numericgreaterthan": (lambda wanted, given: _number(given) > _number(wanted), False),
    "numericgreaterthanequals": (lambda wanted, given: _number(given) >= _number(wanted), False),
    "dateequals": (lambda wanted, given: _instant(given) == _instant(wanted), False),
    "datenotequals": (lambda wanted, given: _instant(given) == _instant(wanted), True),
    "datelessthan": (lambda wanted, given: _instant(given) < _instant(wanted), False),
    "datelessthanequals": (lambda wanted, given: _instant(given) <= _instant(wanted), False),
    "dategreaterthan": (lambda wanted, given: _instant(given) > _instant(wanted), False),
    "dategreaterthanequals": (lambda wanted, given: _instant(given) >= _instant(wanted), False),
    "bool": (_equal_ignoring_case, False),
    "binaryequals": (_same_bytes, False),
    "ipaddress": (_in_network, False),
    "notipaddress": (_in_network, True),
    "arnequals": (arn_matches, False),
    "arnlike": (arn_matches, False),
    "arnnotequals": (arn_matches, True),
    "arnnotlike": (arn_matches, True),
}
_SETS = {"foranyvalue": "any", "forallvalues": "all"}


def texts(value: object, *, where: str) -> tuple[str, ...]:
    """A policy value (text, number, truth value, or a list of them) as texts."""
    if isinstance(value, bool):
        return ("true" if value else "false",)
    if isinstance(value, str | int | float):
        return (str(value),)
    if isinstance(value, list | tuple):
        return tuple(text for item in value for text in texts(item, where=where))
    raise PolicyError(f"{where} holds {value!r}: only text, numbers, truth values and lists of them are allowed.")


@dataclass(frozen=True, kw_only=True)
class Condition:
    """One operator on one key: `{"ArnLike": {"aws:SourceArn": [...]}}`."""

    operator: str
    key: str
    values: tuple[str, ...]
    quantifier: str
    if_exists: bool

    @property
    def keys(self) -> frozenset[str]:
        """Every condition key that the outcome depends on, in lower case."""
        return frozenset({self.key}).union(*(variables_in(value) for value in self.values))

    def holds(self, context: Context) -> bool:
        """Whether the request context satisfies it.

        An absent key fails a positive operator and satisfies a negated one, an `IfExists` one and
        `ForAllValues` (IAM "Condition operators" and "Multivalued context keys" pages).
        """
        given = context.get(self.key)
        if self.operator == "null":
            return any((value.lower() == "true") == (not given) for value in self.values)
        compare, negated = _OPERATORS[self.operator]
        if not given:
            if self.quantifier:
                return self.quantifier == "all" or self.if_exists
            return negated or self.if_exists
        wanted = [text for value in self.values if (text := substitute(value, context)) is not None]

        def satisfied(value: str) -> bool:
            return any(compare(text, value) for text in wanted) != negated

        if self.quantifier == "any":
            return any(satisfied(value) for value in given)
        if self.quantifier == "all" or negated:
            return all(satisfied(value) for value in given)
        return any(satisfied(value) for value in given)


def compile_conditions(element: object, *, where: str, variables: bool) -> tuple[Condition, ...]:
    """The Condition element of a statement.

    Raises:
        PolicyError: naming an operator that the policy language does not have.
    """
    if element is None:
        return ()
    if not isinstance(element, Mapping):
        raise PolicyError(f"{where} Condition is {element!r}: it must map operators to keys.")
    compiled = []
    for name, keys in element.items():
        lowered = name.lower()
        head, _, rest = lowered.partition(":")
        quantifier = _SETS.get(head, "") if rest else ""
        operator = rest if quantifier else lowered
        if_exists = operator.endswith("ifexists")
        operator = operator.removesuffix("ifexists")
        if operator != "null" and operator not in _OPERATORS:
            raise PolicyError(
                f"{where} uses the condition operator {name!r}, which is not known. Known: "
                f"null, {', '.join(sorted(_OPERATORS))}, with IfExists, ForAnyValue: and ForAllValues:."
            )
        if not isinstance(keys, Mapping):
            raise PolicyError(f"{where} {name} is {keys!r}: it must map condition keys to values.")
        for key, value in keys.items():
            values = texts(value, where=f"{where} {name} {key}")
            if not variables:
                values = tuple(text.replace("${", "\x02{") for text in values)
            compiled.append(
                Condition(
                    operator=operator,
                    key=key.lower(),
                    values=values,
                    quantifier=quantifier,
                    if_exists=if_exists,
                )
            )
    return tuple(compiled)
