"""Read Hive type strings, the one type notation of the contracts; converts no value and names no service."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

PRIMITIVES = ("string", "boolean", "int", "bigint", "double", "timestamp", "date")
"""Primitive types a contract may use. Left out: float, smallint and tinyint, which only lose range or precision."""

_TOKEN = re.compile(r"[a-z_][a-z0-9_]*|\d+|[<>(),:]")


@dataclass(frozen=True, kw_only=True)
class Primitive:
    """A type without parameters, one of `PRIMITIVES`."""

    name: str


@dataclass(frozen=True, kw_only=True)
class Decimal:
    """An exact number of `precision` digits (1 to 38), `scale` of them behind the point."""

    precision: int
    scale: int


@dataclass(frozen=True, kw_only=True)
class Array:
    """A list of values of one type."""

    element: HiveType


@dataclass(frozen=True, kw_only=True)
class Map:
    """Keys and values; JSON allows only strings as keys."""

    value: HiveType


@dataclass(frozen=True, kw_only=True)
class Struct:
    """Named, typed fields, in order."""

    fields: tuple[tuple[str, HiveType], ...]


HiveType = Primitive | Decimal | Array | Map | Struct


@cache
def parse(text: str) -> HiveType:
    """Read a Hive type string such as `array<struct<option_id:string,votes:bigint>>`.

    Raises:
        ValueError: the string is not a Hive type that contracts allow; says where it stops being one.
    """
    tokens = _TOKEN.findall(text)
    if "".join(tokens) != text:
        raise _unreadable(text, "a character that no type holds (write it in lower case, without spaces)")
    found, rest = _read(text, tokens)
    if rest:
        raise _unreadable(text, f"{''.join(rest)!r} behind the end of the type")
    return found


def _read(text: str, tokens: list[str]) -> tuple[HiveType, list[str]]:
    if not tokens:
        raise _unreadable(text, "nothing where a type should stand")
    head, rest = tokens[0], tokens[1:]
    if head in PRIMITIVES:
        return Primitive(name=head), rest
    if head == "decimal":
        return _read_decimal(text, rest)
    if head == "array":
        element, rest = _read(text, _expect(text, rest, "<"))
        return Array(element=element), _expect(text, rest, ">")
    if head == "map":
        key, rest = _read(text, _expect(text, rest, "<"))
        if key != Primitive(name="string"):
            raise _unreadable(text, "a map key that is not string (JSON has no other)")
        value, rest = _read(text, _expect(text, rest, ","))
        return Map(value=value), _expect(text, rest, ">")
    if head == "struct":
        return _read_struct(text, rest)
    raise _unreadable(text, f"the unknown type {head!r}")


def _read_decimal(text: str, tokens: list[str]) -> tuple[HiveType, list[str]]:
    tokens = _expect(text, tokens, "(")
    if len(tokens) < 3 or not tokens[0].isdigit() or tokens[1] != "," or not tokens[2].isdigit():
        raise _unreadable(text, "a decimal without its precision and scale, as in decimal(12,2)")
    precision, scale = int(tokens[0]), int(tokens[2])
    if not 1 <= precision <= 38 or scale > precision:
        raise _unreadable(text, f"decimal({precision},{scale}); the precision is 1 to 38, the scale at most that")
    return Decimal(precision=precision, scale=scale), _expect(text, tokens[3:], ")")


def _read_struct(text: str, tokens: list[str]) -> tuple[HiveType, list[str]]:
    tokens = _expect(text, tokens, "<")
    fields: list[tuple[str, HiveType]] = []
    while True:
        if not tokens:
            raise _unreadable(text, "a struct that does not end")
        name = tokens[0]
        kind, tokens = _read(text, _expect(text, tokens[1:], ":"))
        if name in dict(fields):
            raise _unreadable(text, f"the struct field {name!r} twice")
        fields.append((name, kind))
        if tokens[:1] == [","]:
            tokens = tokens[1:]
            continue
        return Struct(fields=tuple(fields)), _expect(text, tokens, ">")


def _expect(text: str, tokens: list[str], wanted: str) -> list[str]:
    if tokens[:1] != [wanted]:
        raise _unreadable(text, f"{tokens[0] if tokens else 'the end'!r} where {wanted!r} should stand")
    return tokens[1:]


def _unreadable(text: str, found: str) -> ValueError:
    return ValueError(
        f"the Hive type {text!r} holds {found}; allowed: {', '.join(PRIMITIVES)}, decimal(p,s), array<…>, "
        "map<string,…>, struct<name:…>"
    )
