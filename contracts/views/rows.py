"""Turn a parsed event into its table's row: the contract's validation and coercion; reads no bytes, calls nothing.

Values are exact or refused: integers keep every digit, decimals become text of their scale, timestamps and dates
become text in UTC that Athena, Redshift, Spark and DuckDB read as typed. What the contract does not know is returned
apart, in the shape in which it was sent.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache, lru_cache

from contracts import hive_types
from contracts.event import Event
from contracts.model import Column
from contracts.reasons import ContractViolation, Reason

Coerce = Callable[[object], object]
"""Takes a JSON value that is not null, returns what the row holds. Raises `Misfit`."""

_LONGEST_ID = 40
"""Digits of an identifier that is sent as a number; a longer one is no identifier."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MAX_MICROSECONDS = 253_402_300_799_999_999  # 9999-12-31, the last day that Hive and ISO 8601 readers agree on
_MIN_MICROSECONDS = -62_135_596_800_000_000  # 0001-01-01
_MAX_MILLISECONDS, _MIN_MILLISECONDS = _MAX_MICROSECONDS // 1000, _MIN_MICROSECONDS // 1000
_DIGITS = re.compile(r"-?\d{1,40}", re.ASCII)
_EXACT_NUMBER = re.compile(r"-?\d{1,40}(\.\d{1,40})?([eE][+-]?\d{1,3})?", re.ASCII)
_ISO = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d)?)(?:[.,](\d{1,9}))?(Z|z|[+-]\d\d:?\d\d)?", re.ASCII)


class Misfit(Exception):
    """A value is not of the type that it is coerced to: why, and what was wanted."""

    def __init__(self, reason: Reason, wanted: str) -> None:
        """Keep what a `ContractViolation` says of a column."""
        super().__init__(wanted)
        self.reason = reason
        self.wanted = wanted


@dataclass(slots=True)
class Row:
    """A row under its column names (nulls left out), what the contract does not know, and how much of that there is.

    `unknown_fields` counts keys that no column claims; `collisions` counts those among them whose flat name is a
    column's, so that flattening by name would have overwritten it.
    """

    columns: dict[str, object]
    extra: dict[str, object] = field(default_factory=dict)
    unknown_fields: int = 0
    collisions: int = 0


@dataclass(slots=True)
class _Node:
    """What the contract knows below one object: columns by key, and objects by key.

    A leaf is the column's name, the Python type whose values it takes as they are, its coercion of others and, where a
    struct may meet fields that it does not know, its type.
    """

    path: str
    leaves: dict[str, tuple[str, type | None, Coerce, hive_types.HiveType | None]] = field(default_factory=dict)
    objects: dict[str, _Node] = field(default_factory=dict)


class RowReader:
    """Reads the events of one contract. Build once, use for every event; holds no state between events."""

    def __init__(self, event: Event) -> None:
        """Lay the contract's columns out as the nested object in which they are sent."""
        self.event = event
        self._required = tuple(column for column in event.sent if column.required)
        self._names = frozenset(event.table.column)
        self._root = _Node(path="")
        for column in event.sent:
            self._add(column)

    def _add(self, column: Column) -> None:
        node = self._root
        for key in column.keys[:-1]:
            if key in node.leaves:
                raise ValueError(f"event {self.event.type!r}: {column.path!r} lies below a column")
            node = node.objects.setdefault(key, _Node(path=f"{node.path}{key}."))
        if column.keys[-1] in node.objects:
            raise ValueError(f"event {self.event.type!r}: the column {column.path!r} is an object with columns")
        kind = hive_types.parse(column.type)
        as_it_is = _AS_THEY_ARE.get(column.type)
        nested = kind if _has_struct(kind) else None
        node.leaves[column.keys[-1]] = (column.name, as_it_is, coercion(column.type), nested)

    def read(self, body: Mapping[str, object]) -> Row:
        """The row of one event.

        Args:
            body: the parsed JSON object; numbers may be int, float or `decimal.Decimal` (exact).

        Raises:
            ContractViolation: a required column is missing or null, or a value is not of its column's type.
        """
        row = Row(columns={})
        self._walk(self._root, body, row, row.extra)
        for column in self._required:
            if column.name not in row.columns:
                raise ContractViolation(
                    reason=Reason.MISSING_COLUMN,
                    column=column.name,
                    sentence=f"{column.path!r} is required and was absent or null",
                )
        return row

    def _walk(self, node: _Node, body: Mapping[str, object], row: Row, extra: dict[str, object]) -> None:
        columns, leaves, objects = row.columns, node.leaves, node.objects
        for key, value in body.items():
            leaf = leaves.get(key)
            if leaf is not None:
                name, as_it_is, coerce, nested = leaf
                if type(value) is as_it_is:
                    columns[name] = value
                elif value is not None:
                    try:
                        columns[name] = coerce(value)
                    except Misfit as misfit:
                        raise _violation(misfit, name) from None
                    if nested is not None and (unknown := _unknown_fields(nested, value)):
                        # The column keeps what it knows; the value as it was sent goes where nothing is dropped.
                        extra[key] = value
                        row.unknown_fields += unknown
                continue
            child = objects.get(key)
            if child is not None:
                self._descend(child, key, value, row, extra)
                continue
            extra[key] = value
            row.unknown_fields += 1
            if f"{node.path}{key}".replace(".", "_").lower() in self._names:
                row.collisions += 1

    def _descend(self, child: _Node, key: str, value: object, row: Row, extra: dict[str, object]) -> None:
        if value is None:
            return
        if not isinstance(value, dict):
            path = child.path[:-1]
            raise ContractViolation(
                reason=Reason.WRONG_TYPE,
                column=path,
                sentence=f"{path!r} should be an object, not {_json_type(value)}",
            )
        below: dict[str, object] = {}
        self._walk(child, value, row, below)
        if below:
            extra[key] = below


@cache
def reader(event: Event) -> RowReader:
    """The reader of an event's contract, built at its first use."""
    return RowReader(event)


def epoch_text(milliseconds: int) -> str:
    """A moment in epoch milliseconds as rows write it: UTC, milliseconds.

    Raises:
        OverflowError: the moment is not between the years 1 and 9999.
    """
    return _second_text(milliseconds // 1000) + _FRACTIONS[milliseconds % 1000]


_FRACTIONS = tuple(f".{part:03d}" for part in range(1000))


@lru_cache(maxsize=4096)  # the events of a request came, and mostly happened, in the same few minutes
def _second_text(second: int) -> str:
    return (_EPOCH + timedelta(seconds=second)).replace(tzinfo=None).isoformat(sep=" ", timespec="seconds")


def timestamp_text(moment: datetime) -> str:
    """A moment as rows write it: UTC, milliseconds, or microseconds where it has them."""
    text = moment.astimezone(UTC).replace(tzinfo=None).isoformat(sep=" ", timespec="microseconds")
    return text.removesuffix("000")


@cache
def coercion(hive_type: str) -> Coerce:
    """What turns the values of a Hive type into what a row holds."""
    return _coercion_of(hive_types.parse(hive_type))


def _coercion_of(kind: hive_types.HiveType) -> Coerce:
    if isinstance(kind, hive_types.Primitive):
        return _PRIMITIVES[kind.name]
    if isinstance(kind, hive_types.Decimal):
        return _decimal(kind)
    if isinstance(kind, hive_types.Array):
        return _array(_coercion_of(kind.element))
    if isinstance(kind, hive_types.Map):
        return _map(_coercion_of(kind.value))
    return _struct({name: _coercion_of(field_type) for name, field_type in kind.fields})


def _string(value: object) -> str:
    if type(value) is str:
        return value
    if type(value) is int:
        return str(value)  # producers write identifiers as numbers; every digit is kept
    if isinstance(value, Decimal) and value.adjusted() < _LONGEST_ID and value == value.to_integral_value():
        return str(int(value))
    raise Misfit(Reason.WRONG_TYPE, f"a string, not {_json_type(value)}")


def _boolean(value: object) -> bool:
    if value is True or value is False:
        return value
    raise Misfit(Reason.WRONG_TYPE, f"true or false, not {_json_type(value)}")


def _integer(bits: int) -> Coerce:
    low, high = -(2**bits), 2**bits - 1
    wanted = f"an integer of at most {bits + 1} bits"

    def coerce(value: object) -> int:
        if type(value) is int:
            whole = value
        elif isinstance(value, float | Decimal) and value == value and not -(2**64) < value < 2**64:
            raise Misfit(Reason.OUT_OF_RANGE, wanted)
        elif isinstance(value, float | Decimal) and value == value and value == int(value):
            whole = int(value)
            if isinstance(value, float) and abs(whole) > 2**53:
                raise Misfit(Reason.OUT_OF_RANGE, f"{wanted}; a fraction this large has lost digits")
        elif isinstance(value, str) and _DIGITS.fullmatch(value):
            whole = int(value)
        else:
            raise Misfit(Reason.WRONG_TYPE, f"{wanted}, not {_json_type(value)}")
        if low <= whole <= high:
            return whole
        raise Misfit(Reason.OUT_OF_RANGE, wanted)

    return coerce


def _double(value: object) -> float | int:
    if type(value) is float or type(value) is int:
        return _finite(value)
    if isinstance(value, Decimal):
        return _finite(float(value))
    raise Misfit(Reason.WRONG_TYPE, f"a number, not {_json_type(value)}")


def _finite(value: float) -> float:
    # JSON has no infinity, yet 1e999 is valid JSON and becomes one on reading.
    if -1.7976931348623157e308 <= value <= 1.7976931348623157e308:
        return value
    raise Misfit(Reason.OUT_OF_RANGE, "a number that a double can hold")


def _decimal(kind: hive_types.Decimal) -> Coerce:
    whole_digits = kind.precision - kind.scale
    wanted = f"a number of at most {whole_digits} digits before the point and {kind.scale} behind it"

    def coerce(value: object) -> str:
        if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
            raise Misfit(Reason.WRONG_TYPE, f"{wanted}, not {_json_type(value)}")
        text = repr(value) if isinstance(value, float) else str(value)
        if not _EXACT_NUMBER.fullmatch(text):
            raise Misfit(Reason.WRONG_TYPE if isinstance(value, str) else Reason.OUT_OF_RANGE, wanted)
        sign, digits, exponent = Decimal(text).as_tuple()
        shift = int(exponent) + kind.scale
        number = int("".join(map(str, digits)))
        if abs(shift) > 80:
            if number:
                raise Misfit(Reason.OUT_OF_RANGE, wanted)
            shift = 0
        scaled, lost = divmod(number, 10**-shift) if shift < 0 else (number * 10**shift, 0)
        if lost or scaled >= 10**kind.precision:
            raise Misfit(Reason.OUT_OF_RANGE, wanted)
        padded = str(scaled).rjust(kind.scale + 1, "0")
        point = len(padded) - kind.scale
        return ("-" if sign and scaled else "") + padded[:point] + ("." + padded[point:] if kind.scale else "")

    return coerce


def _timestamp(value: object) -> str:
    if type(value) is int:
        if _MIN_MILLISECONDS <= value <= _MAX_MILLISECONDS:
            return epoch_text(value)
        raise _no_moment()
    if isinstance(value, str):
        return _timestamp_from_text(value)
    if isinstance(value, float | Decimal) and -(10**18) < value < 10**18:
        microseconds = round(value * 1000)
    else:
        raise Misfit(Reason.WRONG_TYPE, f"epoch milliseconds or ISO 8601 text, not {_json_type(value)}")
    if not _MIN_MICROSECONDS <= microseconds <= _MAX_MICROSECONDS:
        raise _no_moment()
    return timestamp_text(_EPOCH + timedelta(microseconds=microseconds))


def _no_moment() -> Misfit:
    return Misfit(Reason.OUT_OF_RANGE, "a moment between the years 1 and 9999, in epoch milliseconds")


def _timestamp_from_text(text: str) -> str:
    # What nearly all send, such as 2026-11-18T08:00:00.123Z, without the price of the other forms.
    if text[11:16] in _MINUTES and text[16:19] in _SECONDS and text[10:11] in _SEPARATORS:
        fraction = _UTC_FRACTIONS.get(text[19:])
        if fraction and _is_day(text[:10]):
            return f"{text[:10]} {text[11:19]}{fraction}"
    return _timestamp_from_any_text(text)


_MINUTES = frozenset(f"{hour:02d}:{minute:02d}" for hour in range(24) for minute in range(60))
_SECONDS = frozenset(f":{second:02d}" for second in range(60))
_SEPARATORS = frozenset("T ")
_UTC_FRACTIONS = {"Z": ".000", **{f"{text}Z": text for text in _FRACTIONS}}


@lru_cache(maxsize=4096)
def _is_day(text: str) -> bool:
    try:
        # There are other texts that mean a day, such as 2026-W47-3.
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _timestamp_from_any_text(text: str) -> str:
    if _DIGITS.fullmatch(text):
        return _timestamp(int(text))
    found = _ISO.fullmatch(text)
    if found is None:
        raise Misfit(Reason.WRONG_TYPE, "epoch milliseconds or ISO 8601 text, such as 2026-11-18T08:00:00.123Z")
    day, clock, fraction, zone = found.groups()
    # Digits finer than a microsecond are cut: no reader of the lake holds them.
    fraction = (fraction or "")[:6].ljust(6, "0")
    zone = "+00:00" if zone in (None, "Z", "z") else zone
    try:
        seconds = clock if len(clock) > 5 else f"{clock}:00"
        return timestamp_text(datetime.fromisoformat(f"{day}T{seconds}.{fraction}{zone}"))
    except (ValueError, OverflowError):
        raise Misfit(Reason.OUT_OF_RANGE, "a moment that the calendar has, between the years 1 and 9999") from None


def _date(value: object) -> str:
    if not isinstance(value, str):
        raise Misfit(Reason.WRONG_TYPE, f"a date as text, not {_json_type(value)}")
    try:
        if len(value) != 10:
            raise ValueError
        return date.fromisoformat(value).isoformat()
    except ValueError:
        raise Misfit(Reason.WRONG_TYPE, "a date such as 2026-11-18") from None


def _array(element: Coerce) -> Coerce:
    def coerce(value: object) -> list[object]:
        if not isinstance(value, list):
            raise Misfit(Reason.WRONG_TYPE, f"an array, not {_json_type(value)}")
        return [None if item is None else element(item) for item in value]

    return coerce


def _map(element: Coerce) -> Coerce:
    def coerce(value: object) -> dict[str, object]:
        if not isinstance(value, dict):
            raise Misfit(Reason.WRONG_TYPE, f"an object, not {_json_type(value)}")
        return {key: None if item is None else element(item) for key, item in value.items()}

    return coerce


def _struct(fields: dict[str, Coerce]) -> Coerce:
    def coerce(value: object) -> dict[str, object]:
        if not isinstance(value, dict):
            raise Misfit(Reason.WRONG_TYPE, f"an object, not {_json_type(value)}")
        return {key: element(value[key]) for key, element in fields.items() if value.get(key) is not None}

    return coerce


def _has_struct(kind: hive_types.HiveType) -> bool:
    if isinstance(kind, hive_types.Array):
        return _has_struct(kind.element)
    if isinstance(kind, hive_types.Map):
        return _has_struct(kind.value)
    return isinstance(kind, hive_types.Struct)


def _unknown_fields(kind: hive_types.HiveType, value: object) -> int:
    """How many keys of the value's structs their type does not name; the depth is the type's."""
    if isinstance(kind, hive_types.Array) and isinstance(value, list):
        return sum(_unknown_fields(kind.element, item) for item in value)
    if isinstance(kind, hive_types.Map) and isinstance(value, dict):
        return sum(_unknown_fields(kind.value, item) for item in value.values())
    if isinstance(kind, hive_types.Struct) and isinstance(value, dict):
        fields = dict(kind.fields)
        return sum(_unknown_fields(fields[key], item) if key in fields else 1 for key, item in value.items())
    return 0


_PRIMITIVES: dict[str, Coerce] = {
    "string": _string,
    "boolean": _boolean,
    "int": _integer(31),
    "bigint": _integer(63),
    "double": _double,
    "timestamp": _timestamp,
    "date": _date,
}


_AS_THEY_ARE: dict[str, type] = {"string": str, "boolean": bool}


def _violation(misfit: Misfit, column: str) -> ContractViolation:
    return ContractViolation(
        reason=misfit.reason, column=column, sentence=f"column {column!r} should hold {misfit.wanted}"
    )


def _json_type(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int | float | Decimal):
        return "a number"
    if isinstance(value, str):
        return "other text"
    return "an array" if isinstance(value, list) else "an object"
