"""A person's own data: shows and events of a shape that no contract describes, made the same way each time.

It must not know the platform; what is owed to each show and event stands beside it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LISTENS = Path(__file__).parent / "data" / "listens.ndjson"
NOT_JSON = (b"no JSON", b'{"cut": ', b"\xff\xfe\x00", b"listen,1704067200,42", b'{"a": NaN}')


@dataclass(frozen=True, kw_only=True)
class Show:
    """A show as its owner has it, in JSON; `owed` is `landed`, or the reason of its dead letter."""

    text: str
    owed: str


def shows(count: int) -> list[Show]:
    """Shows of foreign shapes, some of whose fields contradict the contract."""
    made = [_show(number) for number in range(count)]
    made[-1] = Show(text=json.dumps({"id": "huge", "transcript": "x" * 1_100_000}), owed="too_large")
    return made


def _show(number: int) -> Show:
    body: dict[str, Any] = {
        "id": f"sendung/{number} ü",
        "programmeTitel": f"深夜の電話 №{number} 🎙\u2028{'é' * (number % 7)}",
        "größe": 2**70 + number,
        "host": {"vorname": "Żaneta", "links": [{"rel": "self", "href": f"https://example.org/{number}"}] * 3},
        "Sendezeiten": [[1, 2.5], [None, True], {"ende": "24:00"}],
    }
    owed = "landed"
    match number % 10:
        case 1:
            body = {**body, "id": None, "show_id": 10_000 + number}
        case 2:
            body["title"] = 5
        case 3:
            body["schedule"] = "weekly"
            owed = "wrong_type"
        case 4:
            body["title"] = {"de": "Nachts"}
            owed = "wrong_type"
        case 5:
            body["nest"] = _nested(60)
        case 6:
            body["nest"] = _nested(120)
            owed = "too_deep"
        case 7:
            body["version"] = 2**80
            owed = "out_of_range"
        case 8:
            body["rating"] = float("nan")
            owed = "answer_not_json"
        case 9 if number % 20 == 9:
            body["half"] = "\ud83d"
            owed = "invalid_text"
    return Show(text=_line(body), owed=owed)


def events(count: int) -> list[bytes]:
    """Nested events of foreign shapes, the real listens again and again with something changed in each."""
    listens = [json.loads(line) for line in LISTENS.read_text("utf-8").splitlines()]
    return [_event(dict(listens[number % len(listens)]), number) for number in range(count)]


def _event(body: dict[str, Any], number: int) -> bytes:
    body["position"] = number
    match number % 8:
        case 1:
            body["event_id"] = number
        case 2:
            body["event_type"] = "listen"
        case 3:
            body["event_type"] = {"name": "listen"}
        case 4:
            body["track_metadata"] = [body["track_metadata"], {"rank": 2**70}]
        case 5:
            body["event_id"] = ["not", "an", "id"]
        case 6:
            body = {"payload": {"items": [body, body]}, "n": _nested(50)}
    return _line(body).encode()


def _nested(levels: int) -> object:
    value: object = "deepest"
    for level in range(levels):
        value = {f"level{level}": value}
    return value


def _line(body: dict[str, Any]) -> str:
    try:
        text = json.dumps(body, ensure_ascii=False)
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(body)
    return text
