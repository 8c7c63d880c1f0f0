"""Check values against the part of JSON Schema that event contracts use; knows no contract.

Refuses, when it is built, a schema with any other keyword, so that no rule is passed over in silence.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, cast

Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Fault:
    """Where a value breaks its schema, and what is allowed there."""

    path: str
    allowed: str

    def below(self, name: str) -> Fault:
        """The same fault, seen from the object or array that holds the value under this name."""
        separator = "." if self.path and not self.path.startswith("[") else ""
        return Fault(f"{name}{separator}{self.path}", self.allowed)


Check = Callable[[object], Fault | None]
"""Gives the first fault of a value, or None."""

_ANNOTATIONS = {"$schema", "$id", "title", "description", "examples"}
_RULES = {
    "type", "const", "anyOf", "minimum", "maximum", "pattern", "format",
    "items", "properties", "required", "additionalProperties",
}  # fmt: skip
_TYPES: dict[str, tuple[str, Callable[[object], bool]]] = {
    "null": ("null", lambda value: value is None),
    "boolean": ("true or false", lambda value: value is True or value is False),
    "integer": ("an integer", lambda value: _is_number(value) and cast(float, value) % 1 == 0),
    "number": ("a number", lambda value: _is_number(value)),
    "string": ("text", lambda value: isinstance(value, str)),
    "array": ("an array", lambda value: isinstance(value, list | tuple)),
    "object": ("an object", lambda value: isinstance(value, dict)),
}
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_DATE_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt]([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)", re.ASCII
)


def compiled(schema: Schema) -> Check:
    """The check that a schema asks for; JSON numbers, text, lists and objects are Python's own.

    Raises:
        ValueError: the schema has a keyword, type or format that this part of JSON Schema does not hold.
    """
    if unknown := set(schema) - _ANNOTATIONS - _RULES:
        raise ValueError(f"the schema has {sorted(unknown)}; this checker knows {sorted(_RULES)}")
    here = Fault("", _described(schema))
    rules = [rule for rule in (_simple(schema, here), _any_of(schema, here), _object(schema), _items(schema)) if rule]
    if len(rules) == 1:
        return rules[0]

    def check(value: object) -> Fault | None:
        for rule in rules:
            if fault := rule(value):
                return fault
        return None

    return check


def _simple(schema: Schema, here: Fault) -> Check | None:
    """Everything about a value that needs no look inside it."""
    if not {"type", "const", "minimum", "maximum", "pattern", "format"} & set(schema):
        return None
    tests = [_TYPES[name][1] for name in _type_names(schema)]
    constant = schema.get("const")
    low, high = schema.get("minimum", float("-inf")), schema.get("maximum", float("inf"))
    bounded = "minimum" in schema or "maximum" in schema
    # `$` of JSON Schema (ECMA-262) is the very end and `\d` an ASCII digit; Python's are wider.
    pattern = re.compile(re.sub(r"\$$", r"\\Z", schema["pattern"]), re.ASCII) if "pattern" in schema else None
    in_format = _FORMATS[schema["format"]][1] if "format" in schema else None

    def check(value: object) -> Fault | None:
        if tests and not any(test(value) for test in tests):
            return here
        if constant is not None and value != constant:
            return here
        if bounded and _is_number(value) and not low <= cast(float, value) <= high:
            return here
        if isinstance(value, str):
            if pattern is not None and not pattern.search(value):
                return here
            if in_format is not None and not in_format(value):
                return here
        return None

    return check


def _any_of(schema: Schema, here: Fault) -> Check | None:
    if "anyOf" not in schema:
        return None
    alternatives = [compiled(alternative) for alternative in schema["anyOf"]]

    def check(value: object) -> Fault | None:
        deepest = here
        for alternative in alternatives:
            fault = alternative(value)
            if fault is None:
                return None
            # The alternative that the value follows furthest says best what is wrong with it.
            if fault.path and not deepest.path:
                deepest = fault
        return deepest

    return check


def _object(schema: Schema) -> Check | None:
    if not {"properties", "required", "additionalProperties"} & set(schema):
        return None
    properties: dict[str, Check] = {name: compiled(below) for name, below in schema.get("properties", {}).items()}
    required: list[str] = schema.get("required", [])
    missing = {name: Fault(name, f"there; it is required: {_described(_property(schema, name))}") for name in required}
    others = compiled(schema["additionalProperties"]) if "additionalProperties" in schema else None

    def check(value: object) -> Fault | None:
        if not isinstance(value, dict):
            return None
        for name in required:
            if name not in value:
                return missing[name]
        for name, item in value.items():
            rule = properties.get(name)
            if rule is not None:
                if fault := rule(item):
                    return fault.below(name)
            elif others is not None and (fault := others(item)):
                return fault.below("*")  # the keys of a free map are data too, and stay unquoted
        return None

    return check


def _items(schema: Schema) -> Check | None:
    if "items" not in schema:
        return None
    item_check = compiled(schema["items"])

    def check(value: object) -> Fault | None:
        if isinstance(value, list | tuple):
            for index, item in enumerate(value):
                if fault := item_check(item):
                    return fault.below(f"[{index}]")
        return None

    return check


def _property(schema: Schema, name: str) -> Schema:
    found: Schema = schema.get("properties", {}).get(name, {})
    return found


def _described(schema: Schema) -> str:
    if "const" in schema:
        if not isinstance(schema["const"], str):
            raise ValueError("the schema has a const that is not text; this checker compares text alone")
        return f"the text {schema['const']!r}"
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_described(alternative) for alternative in schema["anyOf"]))
    if "pattern" in schema:
        return f"text that matches {schema['pattern']}"
    if "format" in schema:
        if schema["format"] not in _FORMATS:
            raise ValueError(f"the schema has the format {schema['format']!r}; this checker knows {sorted(_FORMATS)}")
        return _FORMATS[schema["format"]][0]
    text = " or ".join(_TYPES[name][0] for name in _type_names(schema)) or "anything"
    if "minimum" in schema or "maximum" in schema:
        return f"{text} from {schema.get('minimum', '-∞')} to {schema.get('maximum', '∞')}"
    return text


def _type_names(schema: Schema) -> list[str]:
    given = schema.get("type", [])
    names = [given] if isinstance(given, str) else list(given)
    if unknown := [name for name in names if name not in _TYPES]:
        raise ValueError(f"the schema has the types {unknown}; this checker knows {sorted(_TYPES)}")
    return names


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_date(text: str) -> bool:
    try:
        return bool(_DATE.fullmatch(text) and date.fromisoformat(text))
    except ValueError:
        return False


def _is_date_time(text: str) -> bool:
    found = _DATE_TIME.fullmatch(text)
    return found is not None and _is_date(found[1])


_FORMATS: dict[str, tuple[str, Callable[[str], bool]]] = {
    "date": ("a date as text, such as 2026-11-18", _is_date),
    "date-time": ("a moment as text with its offset, such as 2026-11-18T08:00:00.123Z", _is_date_time),
}
