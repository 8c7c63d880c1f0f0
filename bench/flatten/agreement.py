"""Holds what a contender lands against what the platform's function lands, wherever both mean the same."""

from __future__ import annotations

import json
from base64 import b64decode
from collections import Counter
from typing import Any

from bench.flatten.contenders import Transform
from bench.runtime import quietly
from contracts import events
from contracts.envelope import LANDING

_ADDED = {column.name for column in LANDING}
MOMENT, MANY, EXTRA, UNKNOWN, DIFFERS, MISSING = (
    "moments: text in UTC in ours, as sent in theirs",
    "lists and maps: one column in ours, maybe one for each entry in theirs",
    "fields that no contract knows: kept together and counted in ours, columns in theirs",
    "events of unknown types: kept whole in ours, flattened in theirs",
    "VALUES THAT DIFFER",
    "VALUES THAT THEIRS LACKS",
)
REAL = (DIFFERS, MISSING)
"""Differences that the semantics do not explain."""


def compare(ours: Transform, theirs: Transform, request: dict[str, Any]) -> Counter[str]:
    """How many values agree (`agree`), and how many differ, by why they do."""
    found: Counter[str] = Counter()
    with quietly():
        pairs = zip(ours(request)["records"], theirs(request)["records"], strict=True)
    for ours_record, theirs_record in pairs:
        _compare(_row(ours_record), _row(theirs_record), ours_record["metadata"]["partitionKeys"], found)
    return found


def _row(record: dict[str, Any]) -> dict[str, Any]:
    row: dict[str, Any] = json.loads(b64decode(record["data"]))
    return row


def _compare(ours: dict[str, Any], theirs: dict[str, Any], keys: dict[str, str], found: Counter[str]) -> None:
    contract = events.by_type(keys["type"])
    if contract is None or keys["zone"] != "events":
        found[UNKNOWN] += 1
        return
    for name, value in ours.items():
        kind = contract.table.column[name].type
        if name in _ADDED:
            found[EXTRA] += name == "extra"
        elif kind == "timestamp":
            found[MOMENT] += 1
        elif "<" in kind:
            found[MANY] += 1
        elif name not in theirs:
            found[MISSING] += 1
        else:
            found["agree" if theirs[name] == value else DIFFERS] += 1
