"""Make the line that travels out of the event that an application gives; sends nothing and keeps nothing."""

from __future__ import annotations

import json
import math
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

from .checking import Check, Fault, compiled
from .errors import InvalidEvent
from .limits import MAX_EVENT_BYTES

MAX_DEPTH = 100
"""Objects and arrays within each other; deeper ones the platform may not keep as a row."""
_MAX_INTEGER_BITS = 1_024
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
"""What a field is called; a key that looks otherwise is data, and stays unquoted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """A contract as the client ships it: its version and its check."""

    version: int
    check: Check


@cache
def contracts() -> Mapping[str, Contract]:
    """Every event type that this release of the client knows."""
    text = resources.files(__package__).joinpath("contracts.json").read_text(encoding="utf-8")
    return {
        event_type: Contract(version=entry["version"], check=compiled(entry["schema"]))
        for event_type, entry in json.loads(text).items()
    }


def line(event: Mapping[str, object], *, now_ms: Callable[[], int], allow_unknown: bool) -> bytes:
    """The event as one line of JSON, without its newline, completed where it is silent.

    Adds `event_id` (where it is missing, null or empty), `sent_at` and `schema_version` (missing or null); nothing
    that the event says is overwritten, and the event given stays as it is.

    Raises:
        InvalidEvent: it is no JSON, breaks its contract, is too long, or its type is unknown and not allowed.
    """
    body = dict(event)
    event_type = body.get("event_type")
    contract = contracts().get(event_type) if isinstance(event_type, str) else None
    if contract is None and not (allow_unknown and isinstance(event_type, str) and event_type):
        known = ", ".join(sorted(contracts()))
        raise InvalidEvent(
            path="event_type", allowed=f"one of {known} (EventProducer(allow_unknown=True) takes others)"
        )
    if body.get("event_id") in (None, ""):
        body["event_id"] = str(uuid.uuid4())
    if body.get("sent_at") is None:
        body["sent_at"] = now_ms()
    if contract is not None and body.get("schema_version") is None:
        body["schema_version"] = contract.version
    fault = _not_json(body, depth=1) or (contract.check(body) if contract is not None else None)
    if fault is not None:
        raise InvalidEvent(path=fault.path, allowed=fault.allowed)
    text = json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    if len(text) > MAX_EVENT_BYTES:
        raise InvalidEvent(path="", allowed=f"at most {MAX_EVENT_BYTES} bytes of JSON")
    return text


def _not_json(value: object, *, depth: int) -> Fault | None:
    """The first value that JSON cannot say exactly; `json.dumps` would turn keys to text and let surrogates by."""
    if isinstance(value, str):
        return None if value.isascii() or _is_unicode(value) else Fault("", "text without halves of surrogate pairs")
    if value is None or isinstance(value, bool):
        return None
    if isinstance(value, int):
        return None if value.bit_length() <= _MAX_INTEGER_BITS else Fault("", "an integer of at most 1,024 bits")
    if isinstance(value, float):
        return None if math.isfinite(value) else Fault("", "a finite number")
    if isinstance(value, dict | list | tuple) and depth > MAX_DEPTH:
        return Fault("", f"nested at most {MAX_DEPTH} deep")
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str) or not _is_unicode(key):
                return Fault("", "an object whose keys are text")
            if fault := _not_json(item, depth=depth + 1):
                return fault.below(key if _NAME.fullmatch(key) else "*")
        return None
    if isinstance(value, list | tuple):
        for index, item in enumerate(value):
            if fault := _not_json(item, depth=depth + 1):
                return fault.below(f"[{index}]")
        return None
    return Fault("", f"JSON (text, number, true, false, null, list or dict), not a Python {type(value).__name__}")


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
