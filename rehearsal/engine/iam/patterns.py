"""Text patterns of the policy language: wildcards and policy variables.

It must not know what a pattern stands for: actions, resources and condition values share it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

_VARIABLE = re.compile(r"\$\{\s*([^},]+?)\s*(?:,\s*'([^']*)'\s*)?\}")
_LITERALS = {"*": "\x00", "?": "\x01", "$": "\x02"}
_RESTORED = {"\x00": "*", "\x01": "?", "\x02": "$"}


@lru_cache(maxsize=20_000)
def wildcard(pattern: str, ignore_case: bool = False) -> re.Pattern[str]:
    """A compiled pattern in which `*` is any text and `?` any one character; it must match all of a text."""
    pieces = []
    for character in pattern:
        if character == "*":
            pieces.append(".*")
        elif character == "?":
            pieces.append(".")
        else:
            pieces.append(re.escape(_RESTORED.get(character, character)))
    return re.compile("".join(pieces), re.DOTALL | (re.IGNORECASE if ignore_case else 0))


def matches(pattern: str, text: str, *, ignore_case: bool = False) -> bool:
    """Whether the wildcard pattern describes the whole of a text."""
    return wildcard(pattern, ignore_case).fullmatch(text) is not None


def arn_matches(pattern: str, arn: str) -> bool:
    """As the Arn operators compare: each of the six parts on its own (IAM "Condition operators" page)."""
    if pattern == "*":
        return True
    wanted, given = pattern.split(":", 5), arn.split(":", 5)
    return len(wanted) == len(given) == 6 and all(
        matches(part, value) for part, value in zip(wanted, given, strict=True)
    )


def variables_in(text: str) -> frozenset[str]:
    """The condition keys that a text refers to as `${key}`, in lower case."""
    return frozenset(
        name.lower() for name in (found.group(1) for found in _VARIABLE.finditer(text)) if name not in _LITERALS
    )


def substitute(text: str, context: Mapping[str, Sequence[str]]) -> str | None:
    """The text with its policy variables replaced, or None if one has no single value and no default.

    A value's own wildcards stay literal (IAM "Variables and tags" page: `${*}`, `${?}`, `${$}`).
    """
    if "${" not in text:
        return text
    missing = False

    def value_of(found: re.Match[str]) -> str:
        nonlocal missing
        name, default = found.group(1), found.group(2)
        if name in _LITERALS:
            return _LITERALS[name]
        values = context.get(name.lower(), ())
        if len(values) == 1:
            value = values[0]
        elif default is not None:
            value = default
        else:
            missing = True
            return ""
        return "".join(_LITERALS.get(character, character) for character in value)

    replaced = _VARIABLE.sub(value_of, text)
    return None if missing else replaced


def literal(text: str) -> str:
    """A substituted text as plain text, for operators that know no wildcards."""
    return "".join(_RESTORED.get(character, character) for character in text)


ONE_SEGMENT = "\x03"
"""In the patterns of `may_overlap`: any text without a slash."""


def may_overlap(first: str, second: str) -> bool:
    """Whether some text could match both patterns, of wildcards and `ONE_SEGMENT`."""
    reachable = {(0, 0)}
    pending = [(0, 0)]
    while pending:
        i, j = pending.pop()
        if i == len(first) and j == len(second):
            return True
        a = first[i] if i < len(first) else ""
        b = second[j] if j < len(second) else ""
        for step in _steps(i, j, a, b):
            if step not in reachable:
                reachable.add(step)
                pending.append(step)
    return False


def _steps(i: int, j: int, a: str, b: str) -> Iterator[tuple[int, int]]:
    many = ("*", ONE_SEGMENT)
    if a in many:
        yield i + 1, j
        if b and (a == "*" or b != "/"):
            yield i, j + 1
    if b in many:
        yield i, j + 1
        if a and (b == "*" or a != "/"):
            yield i + 1, j
    if a and b and a not in many and b not in many and (a == b or "?" in (a, b)):
        yield i + 1, j + 1
