"""Make a sample of a failed record that can be shown: personal columns are masked, what nobody knows stays out.

It must not pass on a value that no contract vouches for.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote_plus

from contracts import datasets, events, hive_types
from contracts.event import Event
from contracts.model import Column
from operations.failed_records import FailedRecord

MASK = "‹personal›"
_LONGEST_TEXT = 60
_LONGEST_LIST = 5

Sample = dict[str, object]


def sample_of(record: FailedRecord, body: object) -> Sample:
    """A record as it may be shown: its contract's columns by path, personal ones masked; else its shape alone.

    A value stands for itself only when a contract declares its column as not personal, it fits the column's type,
    and it is not the one that was refused.
    """
    contract = events.by_type(str(body.get("event_type"))) if isinstance(body, dict) else None
    if contract is None or not isinstance(body, dict):
        return shape_of(record.original, body)
    shown: Sample = {}
    for column in contract.sent:
        value = _at(body, column)
        if value is not None:
            shown[column.path] = _masked(column, value, refused=record.column in (column.name, column.path))
    unknown = _unknown_fields(contract, body)
    if unknown:
        shown["fields that the contract does not know"] = unknown
    return shown


def letter_sample(text: str) -> Sample:
    """A dead letter, raw or wrapped by its topic: the show or the dataset that it names (neither is a person)."""
    body = _json(text)
    if isinstance(body, dict) and isinstance(body.get("Message"), str):
        text = body["Message"]
        body = _json(text)
    shown: Sample = {}
    if isinstance(body, dict):
        shown = _file_sample(body) if isinstance(body.get("Records"), list) else _change_sample(body)
    return shown or shape_of(text.encode(errors="replace"), body)


def _change_sample(body: dict[str, object]) -> Sample:
    """What a show change names."""
    shown: Sample = {}
    named = body.get("show_id", body.get("id"))
    if isinstance(named, int) or (isinstance(named, str) and len(named) <= _LONGEST_TEXT and "@" not in named):
        shown["show_id"] = named
    if isinstance(body.get("version"), int):
        shown["version"] = body["version"]
    return shown


def _file_sample(body: dict[str, Any]) -> Sample:
    """What a notice of S3 names first ("Event message structure" page).

    Whoever drops a file chooses its key, so that of a key nothing but a declared dataset is shown.
    """
    try:
        key = unquote_plus(body["Records"][0]["s3"]["object"]["key"])
    except (LookupError, TypeError, AttributeError):
        return {}
    folder, below, _ = key.removeprefix(datasets.BATCH_PREFIX).partition("/")
    if key.startswith(datasets.BATCH_PREFIX) and below and datasets.by_name(folder) is not None:
        return {"dataset": folder}
    return {"file of no dataset": f"‹its key is {_described(key)}›"}


def shape_of(data: bytes, body: object = None) -> Sample:
    """What can be said of bytes without showing any: how many, and what they seem to be."""
    if isinstance(body, dict):
        return {
            "length": len(data),
            "kind": f"a JSON object with {len(body)} keys and no type that a contract declares",
        }
    return {"length": len(data), "kind": _kind(data)}


def _kind(data: bytes) -> str:
    for start, kind in (
        (b"\x1f\x8b", "gzip"),
        (b"\xf3\x89\x9a\xc2", "an aggregate of the Kinesis Producer Library"),
        (b"\xef\xbb\xbf", "UTF-8 text behind a byte-order mark"),
        (b"\xff\xfe", "UTF-16 text"),
        (b"\xfe\xff", "UTF-16 text"),
    ):
        if data.startswith(start):
            return kind
    if not data.strip():
        return "nothing but white space"
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return "bytes that are no UTF-8"
    begin = text.lstrip()[0]
    for characters, kind in (("{", "an object"), ("[", "an array"), ('"', "a string"), ("-0123456789", "a number")):
        if begin in characters:
            return f"text that begins like {kind} of JSON"
    return "text that does not begin like JSON"


def _at(body: dict[str, object], column: Column) -> object:
    value: object = body
    for key in column.keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _masked(column: Column, value: object, *, refused: bool) -> object:
    if column.personal:
        return MASK
    if refused:
        return f"‹refused: {_described(value)}›"
    return _shown(hive_types.parse(column.type), value)


def _shown(kind: hive_types.HiveType, value: object) -> object:
    if value is None:
        return None
    if isinstance(kind, hive_types.Array) and isinstance(value, list):
        return [_shown(kind.element, item) for item in value[:_LONGEST_LIST]]
    if isinstance(kind, hive_types.Map) and isinstance(value, dict):
        # Keys of a map come from producers as values do.
        return f"‹{len(value)} entries›"
    if isinstance(kind, hive_types.Struct) and isinstance(value, dict):
        return {name: _shown(below, value[name]) for name, below in kind.fields if name in value}
    if isinstance(kind, hive_types.Decimal) and isinstance(value, int | float):
        return value
    if isinstance(kind, hive_types.Primitive) and _fits(kind.name, value):
        return value[:_LONGEST_TEXT] if isinstance(value, str) else value
    return f"‹{_described(value)}›"


def _fits(primitive: str, value: object) -> bool:
    if primitive == "boolean":
        return isinstance(value, bool)
    if primitive == "string":
        return isinstance(value, str)
    if primitive == "timestamp" and isinstance(value, str):
        return value[:4].isdigit() and len(value) <= 40
    return isinstance(value, int | float) and not isinstance(value, bool)


def _described(value: object) -> str:
    if isinstance(value, str):
        return f"text of {len(value)} characters"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int | float):
        return "a number"
    return f"an array of {len(value)}" if isinstance(value, list) else "an object"


def _unknown_fields(contract: Event, body: dict[str, object]) -> int:
    """How many keys at the top, and below the objects that the contract knows, lead to no column."""
    paths = {column.path for column in contract.sent}
    objects = {path[:place] for path in paths for place in range(len(path)) if path[place] == "."}
    count = 0
    waiting: list[tuple[str, object]] = [("", body)]
    while waiting:
        before, node = waiting.pop()
        for key, value in node.items() if isinstance(node, dict) else ():
            path = f"{before}{key}"
            if path in objects:
                waiting.append((f"{path}.", value))
            elif path not in paths:
                count += 1
    return count


def _json(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
