"""Sample events, made from the contracts alone: what a producer would send; no randomness, no population."""

from __future__ import annotations

from contracts import hive_types
from contracts.event import Event
from contracts.model import Column


def sample(event: Event, *, index: int = 0, full: bool = True) -> dict[str, object]:
    """A nested event that follows its contract.

    Args:
        event: the contract.
        index: picks other examples and ids; equal arguments give equal events.
        full: with every optional column; without, only what is required.
    """
    body: dict[str, object] = {}
    for column in event.sent:
        if full or column.required:
            _place(body, column, _value(column, event, index))
    return body


def _place(body: dict[str, object], column: Column, value: object) -> None:
    node = body
    for key in column.keys[:-1]:
        child = node.setdefault(key, {})
        assert isinstance(child, dict)  # noqa: S101 - the model refuses a column below a column
        node = child
    node[column.keys[-1]] = value


def _value(column: Column, event: Event, index: int) -> object:
    if column.name == "event_type":
        return event.type
    if column.name == "event_id":
        return f"{event.type}-{index:08d}"
    if column.examples:
        return column.examples[index % len(column.examples)]
    return _of_type(hive_types.parse(column.type), index)


def _of_type(kind: hive_types.HiveType, index: int) -> object:
    if isinstance(kind, hive_types.Primitive):
        return {
            "string": f"text {index}",
            "boolean": index % 2 == 0,
            "int": index,
            "bigint": 2**53 + 1 + index,
            "double": index + 0.5,
            "timestamp": 1_794_998_400_000 + index,
            "date": "2026-11-18",
        }[kind.name]
    if isinstance(kind, hive_types.Decimal):
        return "1" if kind.scale == 0 else f"0.{'1'.rjust(kind.scale, '0')}"
    if isinstance(kind, hive_types.Array):
        return [_of_type(kind.element, index)]
    if isinstance(kind, hive_types.Map):
        return {"key": _of_type(kind.value, index)}
    return {name: _of_type(field, index) for name, field in kind.fields}
