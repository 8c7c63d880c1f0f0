"""JSON Schema of an event as its producer sends it (draft 2020-12); validates nothing itself."""

from __future__ import annotations

from contracts import hive_types
from contracts.event import Event
from contracts.model import Column

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_INTEGERS = {"int": 31, "bigint": 63}


def schema(event: Event) -> dict[str, object]:
    """The schema of the nested event; unknown properties are allowed, because they are kept and counted."""
    root: dict[str, object] = {
        "$schema": DIALECT,
        "$id": f"urn:amp:event:{event.type}:{event.version}",
        "title": event.type,
        "description": event.description,
        "type": "object",
        "properties": {},
    }
    for column in event.sent:
        _place(root, column, event)
    return root


def _place(root: dict[str, object], column: Column, event: Event) -> None:
    node = root
    for key in column.keys[:-1]:
        properties = _properties(node)
        node = properties.setdefault(key, {"type": ["object", "null"], "properties": {}})  # type: ignore[assignment]
    if column.required:
        _require(root, column.keys)
    value: dict[str, object] = {"description": column.description, **_value(column, event)}
    if column.examples:
        value["examples"] = list(column.examples)
    _properties(node)[column.keys[-1]] = value


def _properties(node: dict[str, object]) -> dict[str, object]:
    found = node.setdefault("properties", {})
    assert isinstance(found, dict)  # noqa: S101 - narrows the type for the checker
    return found


def _require(root: dict[str, object], keys: tuple[str, ...]) -> None:
    node = root
    for key in keys:
        required = node.setdefault("required", [])
        if isinstance(required, list) and key not in required:
            required.append(key)
        child = _properties(node).get(key)
        if isinstance(child, dict):
            child["type"] = "object"
            node = child


def _value(column: Column, event: Event) -> dict[str, object]:
    if column.name == "event_type":
        return {"const": event.type}
    accepted = _of_type(hive_types.parse(column.type))
    return accepted if column.required else {"anyOf": [accepted, {"type": "null"}]}


def _of_type(kind: hive_types.HiveType) -> dict[str, object]:
    """What the platform takes for a type: the exact form and the forms that lose nothing."""
    if isinstance(kind, hive_types.Primitive):
        return _of_primitive(kind.name)
    if isinstance(kind, hive_types.Decimal):
        return {"anyOf": [{"type": "number"}, {"type": "string", "pattern": r"^-?\d+(\.\d+)?$"}]}
    if isinstance(kind, hive_types.Array):
        return {"type": "array", "items": {"anyOf": [_of_type(kind.element), {"type": "null"}]}}
    if isinstance(kind, hive_types.Map):
        return {"type": "object", "additionalProperties": {"anyOf": [_of_type(kind.value), {"type": "null"}]}}
    properties = {name: {"anyOf": [_of_type(field), {"type": "null"}]} for name, field in kind.fields}
    return {"type": "object", "properties": properties}


def _of_primitive(name: str) -> dict[str, object]:
    if name in _INTEGERS:
        bits = _INTEGERS[name]
        whole = {"type": "integer", "minimum": -(2**bits), "maximum": 2**bits - 1}
        return {"anyOf": [whole, {"type": "string", "pattern": r"^-?\d+$"}]}
    if name == "timestamp":
        return {"anyOf": [{"type": "number"}, {"type": "string", "format": "date-time"}]}
    if name == "date":
        return {"type": "string", "format": "date"}
    if name == "string":
        return {"type": ["string", "integer"]}
    return {"type": {"boolean": "boolean", "double": "number"}[name]}
