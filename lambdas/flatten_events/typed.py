"""Read, in one typed pass, the events that plainly keep their contract; whatever is not plain, it leaves alone.

It must not refuse anything: `landing` reads what was left alone once more, exactly, and says what is wrong with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
from msgspec import UNSET, Meta, UnsetType

from contracts import events, hive_types
from contracts.event import Event
from contracts.model import Column
from contracts.views import rows
from lambdas.flatten_events.reading import same_quotes

Read = Callable[[bytes], Any]
"""Gives the row of one event as a struct of its table's columns, those that the platform adds left empty.

Raises ValueError or `contracts.views.rows.Misfit` where anything stands in the way of certainty: an unknown field, a
value that is not of the plain form of its type, a key that may be there twice, text that is no JSON.
"""

_PRIMITIVES: dict[str, Any] = {
    "string": str,
    "boolean": bool,
    "int": Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)],
    "bigint": Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)],
    # Beyond these bounds the two writers put the same double differently (1e16 and 1e+16).
    "double": Annotated[int, Meta(ge=-(2**53), le=2**53)] | Annotated[float, Meta(gt=-1e16, lt=1e16)],
}
"""What each type takes as it stands. An integer as text or as a fraction is right too, and is read exactly."""

_CONVERTED: dict[str, Any] = {
    "timestamp": Annotated[int, Meta(ge=-(2**53), le=2**53)] | str,
    "date": str,
}
"""What is sent for the types whose text in a row is another; `contracts.views.rows` makes it."""


class NotPlainError(TypeError):
    """A contract's column is of a type that only the exact reader takes."""


def named_type(line: bytes) -> bytes:
    """The first text that is named `event_type`, or nothing: most likely the event's type, which reading will tell."""
    try:
        return line.split(b'"event_type"', 1)[1].split(b'"', 2)[1]
    except IndexError:
        return b""


def read(named: bytes, line: bytes) -> Any | None:
    """The row of one event, or None where only the exact reader can say what it is.

    `named` is the type of a declared event, whose reader is tried; if it is another event's, that does not take it.
    """
    try:
        found = _READERS[named] if named in _READERS else _add_reader(named)
        return found(line) if found else None
    except (ValueError, rows.Misfit):  # msgspec's errors and those of UTF-8 are ValueErrors
        return None


DECLARED = {event.type.encode(): event for event in events.EVENTS}
"""Contracts by event type, as `named_type` gives it."""

_READERS: dict[bytes, Read | None] = {}
"""By event type; filled at first use, because each costs a cold start its time."""


def _add_reader(named: bytes) -> Read | None:
    try:
        _READERS[named] = reader(DECLARED[named])
    except NotPlainError:
        _READERS[named] = None
    return _READERS[named]


def reader(event: Event) -> Read:
    """Make the function that reads a contract's events.

    Its source is written here, because looking the columns up one by one takes an eighth of the whole transformation.

    Raises:
        NotPlainError: the contract has a column that has to be read exactly.
    """
    tree = _tree(event)
    nested, _ = _object(tree)
    row = msgspec.defstruct(
        "Row", [(column.name, Any, None) for column in event.table.columns], omit_defaults=True, gc=False
    )
    held: dict[str, Any] = {
        "decode": msgspec.json.Decoder(nested).decode,
        "encode_into": msgspec.json.Encoder().encode_into,
        "again": bytearray(),  # one for all events, because fresh memory for each costs as much as writing to it
        "convert": _convert,
        "same_quotes": same_quotes,
        "is_short": is_short,
        "Row": row,
    }
    objects = {path: f"object_{number}" for number, path in enumerate(_objects(tree, ()))}
    place = {column.name: f"{objects[column.keys[:-1]]}.{column.keys[-1]}_" for column in event.sent}
    values = []
    for number, column in enumerate(event.sent):
        value = place[column.name]
        if _is_converted(column):
            held[f"coerce_{number}"] = rows.coercion(column.type)
            value = f"coerce_{number}({value})" if column.required else f"convert({value}, coerce_{number})"
        values.append(value)
    # Whoever reads a key twice keeps one value: written again, the event has lost the other. As nothing is written in
    # fewer characters than here but some doubles, the length tells at once; where it differs, because of spaces or
    # escapes, the quotation marks do.
    lengths = [f"is_short({place[column.name]})" for column in event.sent if column.type == "double"]
    lengths.append("len(again) == len(line)")
    kept = f"({' and '.join(lengths)}) or same_quotes(line, again)"
    source = [
        "def read(line):",
        f"    {objects[()]} = decode(line)",
        *(f"    {name} = {objects[path[:-1]]}.{path[-1]}_" for path, name in objects.items() if path),
        f"    encode_into({objects[()]}, again)",
        f"    if not ({kept if _lengths_tell(event) else 'same_quotes(line, again)'}):",
        "        raise ValueError('a key may be there twice')",
        f"    return Row({', '.join(values)})",
    ]
    exec("\n".join(source), held)  # noqa: S102 - names out of our own contracts, which are identifiers
    made: Read = held["read"]
    return made


def _lengths_tell(event: Event) -> bool:
    """Whether all the doubles of an event together may be shorter by less than the shortest key with its value."""
    doubles = [column.type for column in event.sent if "double" in column.type]
    return set(doubles) <= {"double"} and len(doubles) * SHORTER_CHARACTERS < len('"":0,')


SHORTER_CHARACTERS = 2
"""How many characters less than here another writer may need for a double that `is_short` (`1e2` and `100.0`)."""


def is_short(double: Any) -> bool:
    """Whether a column of doubles holds none that many characters may be saved on."""
    return type(double) is not float or double == 0 or 0.001 <= abs(double) < 1000


def _convert(value: Any, coerce: rows.Coerce) -> object:
    return value if value is UNSET or value is None else coerce(value)


class _Leaf(NamedTuple):
    type: Any
    required: bool


def _tree(event: Event) -> dict[str, Any]:
    """The columns that a producer sends, as the nested object in which they are sent."""
    tree: dict[str, Any] = {}
    for column in event.sent:
        node = tree
        for key in column.keys[:-1]:
            node = node.setdefault(key, {})
        is_type = column.path == "event_type"
        node[column.keys[-1]] = _Leaf(Literal[event.type] if is_type else _type_of(column), column.required)
    return tree


def _objects(tree: dict[str, Any], path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """The paths of an object and those below it, each behind its parent's."""
    yield path
    for key, node in tree.items():
        if not isinstance(node, _Leaf):
            yield from _objects(node, (*path, key))


def _object(tree: dict[str, Any]) -> tuple[type[msgspec.Struct], bool]:
    """The class of an object whose keys are columns and objects, and whether it may be left out."""
    needed: list[tuple[str, Any]] = []
    optional: list[tuple[str, Any, Any]] = []
    for key, node in tree.items():
        if isinstance(node, _Leaf):
            if node.required:
                needed.append((f"{key}_", node.type))
            else:
                optional.append((f"{key}_", node.type | None | UnsetType, UNSET))
        else:
            below, can_be_absent = _object(node)
            if can_be_absent:
                # One empty object stands for all that are absent: it needs no care, and is not written again.
                optional.append((f"{key}_", below, below()))
            else:
                needed.append((f"{key}_", below))
    found = msgspec.defstruct(
        "Object",
        [*needed, *optional],
        rename=lambda name: name[:-1],  # keys may be words of Python, such as from
        frozen=True,
        gc=False,
        forbid_unknown_fields=True,
        omit_defaults=True,
    )
    return found, not needed


def _is_converted(column: Column) -> bool:
    kind = hive_types.parse(column.type)
    return isinstance(kind, hive_types.Decimal) or column.type in _CONVERTED


def _type_of(column: Column) -> Any:
    kind = hive_types.parse(column.type)
    if isinstance(kind, hive_types.Decimal):
        return int | str  # a fraction would be rounded to a double
    return _CONVERTED[column.type] if column.type in _CONVERTED else _type(kind)


def _type(kind: hive_types.HiveType) -> Any:
    if isinstance(kind, hive_types.Primitive) and kind.name in _PRIMITIVES:
        return _PRIMITIVES[kind.name]
    if isinstance(kind, hive_types.Array):
        return list[_type(kind.element) | None]  # type: ignore[misc]
    if isinstance(kind, hive_types.Map):
        return dict[str, _type(kind.value) | None]  # type: ignore[misc]
    if isinstance(kind, hive_types.Struct):
        # A null among a struct's fields is left out of the row, which only the exact reader does.
        fields = [(name, _type(field) | UnsetType, UNSET) for name, field in kind.fields]
        return msgspec.defstruct("Fields", fields, frozen=True, gc=False, forbid_unknown_fields=True)
    raise NotPlainError(f"{kind} inside another type")
