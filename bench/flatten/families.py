"""Events of four families for the bench of the flattening function, the same every time; measures nothing.

Columns follow the contracts. Sizes (0.5 to 4 KB), depths (2 to 5) and the shares of odd events are assumptions.
"""

from __future__ import annotations

import json
import random
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

KNOWN, WIDER, UNKNOWN = "known", "wider", "unknown"
KINDS = (KNOWN, WIDER, UNKNOWN)
"""Events that keep their contract; that hold more than it knows; of types that no contract declares."""

NOW_MS = 1_794_998_400_000
_SEED = 20_261_118
_ORDERS = 6
"""Producers send an event's keys in as many orders: releases of apps, each with its own."""
_WORDS = tuple(
    f"{word}{end}"
    for word in (
        "tonight",
        "everyone",
        "love",
        "this",
        "song",
        "again",
        "please",
        "best",
        "Wien",
        "São",
        "最高",
        "ラジオ",
    )
    for end in ("", "", "s", ",", "!", " ❤️")
)


def lines(family: str, kind: str, count: int) -> list[bytes]:
    """Events of a family (a key of `FAMILIES`) and a kind, each as compact JSON in UTF-8, without line ends."""
    rand = random.Random(f"{_SEED} {family} {kind}")
    orders = [rand.random() for _ in range(_ORDERS)]
    return [_compact(_event(rand, family, kind), order=rand.choice(orders)) for _ in range(count)]


def lines_of(file: Path) -> list[bytes]:
    """The events of a file of JSON lines.

    Raises:
        ValueError: the file holds none.
    """
    found = [line for line in file.read_bytes().splitlines() if line.strip()]
    if not found:
        raise ValueError(f"{file} holds no line; give a file with one JSON event a line")
    return found


def request(events: list[bytes]) -> dict[str, Any]:
    """A transformation request of Amazon Data Firehose for a Kinesis source ("Transform source data" page)."""
    return {
        "invocationId": "0b1f6a3e-5f0e-4c68-9a0e-2f1d6f4d8a01",
        "sourceKinesisStreamArn": "arn:aws:kinesis:eu-west-1:111111111111:stream/amp-events",
        "deliveryStreamArn": "arn:aws:firehose:eu-west-1:111111111111:deliverystream/amp-events",
        "region": "eu-west-1",
        "records": [_record(number, event) for number, event in enumerate(events)],
    }


def _record(number: int, event: bytes) -> dict[str, Any]:
    sequence_number = f"4965{number:052d}"
    arrived_at = NOW_MS + 900 + number * 7
    return {
        "recordId": f"{sequence_number}000000",
        "approximateArrivalTimestamp": arrived_at,
        "data": b64encode(event + b"\n").decode(),
        "kinesisRecordMetadata": {
            "sequenceNumber": sequence_number,
            "subsequenceNumber": 0,
            "partitionKey": f"lane-{number % 16}",
            "shardId": "shardId-000000000003",
            "approximateArrivalTimestamp": arrived_at,
        },
    }


def _event(rand: random.Random, family: str, kind: str) -> dict[str, Any]:
    event_type, own = FAMILIES[family]
    occurred_at = NOW_MS - rand.randrange(60_000)
    device = {"id": _id(rand, "d-"), "os": "ios", "os_version": "18.1", "model": "iPhone17,3"}
    event: dict[str, Any] = {
        "event_id": _uuid(rand),
        "event_type": event_type if kind != UNKNOWN else f"{event_type}_beta",
        "schema_version": 1,
        "occurred_at": occurred_at,
        "sent_at": occurred_at + rand.randrange(2_000),
        "user": {"id": _id(rand, "u-")},
        "session": {"id": _uuid(rand)},
        "device": device if rand.random() < 0.9 else {"os": "web", "os_version": "131"},
        "app": {"version": rand.choice(("5.2.0", "5.1.3", "5.0.9"))},
        **own(rand),
    }
    if kind != KNOWN:
        event["context"] = _context(rand)
    return event


def _click(rand: random.Random) -> dict[str, Any]:
    query = "&".join(f"{word}={_uuid(rand)}" for word in rand.sample(("ref", "from", "cid", "q", "exp"), 3))
    return {
        "click": {
            "target": rand.choice(("show-card", "follow-button", "play-button")),
            "screen": rand.choice(("home", "show", "search")),
            "x": round(rand.random(), 3),
            "y": round(rand.random(), 3),
            "url": f"https://amp.example/shows/{rand.randrange(9_999)}/{_uuid(rand)}?{query}",
            "utm": {f"utm_{name}": _uuid(rand) for name in ("source", "medium", "campaign", "term", "content")},
        },
        "show": {"id": _show(rand)},
    }


def _chat(rand: random.Random) -> dict[str, Any]:
    return {
        "show": {"id": _show(rand)},
        "message": {
            "id": _uuid(rand),
            "text": _text(rand, 10, 300),
            "reply_to": _uuid(rand),
            "mentions": [_id(rand, "u-") for _ in range(rand.randrange(8))],
        },
    }


def _playback(rand: random.Random) -> dict[str, Any]:
    return {
        "show": {"id": _show(rand)},
        "playback": {
            "id": _uuid(rand),
            "state": rand.choice(("playing", "buffering", "paused")),
            "listened_ms": rand.randrange(30_000),
            "position_ms": rand.randrange(9_000_000),
            "bitrate_kbps": round(rand.uniform(32, 128), 1),
            "stalls": rand.randrange(3),
            "bytes": rand.randrange(500_000),
            "network": rand.choice(("wifi", "cellular")),
        },
    }


def _catalog(rand: random.Random) -> dict[str, Any]:
    minute = rand.randrange(60)
    return {
        "show": {
            "id": _show(rand),
            "version": rand.randrange(1, 40),
            "title": _text(rand, 2, 8),
            "description": _text(rand, 40, 400),
            "status": rand.choice(("scheduled", "live", "ended")),
            "language": rand.choice(("en", "de-AT", "pt-BR", "ja")),
            "explicit": rand.random() < 0.1,
            "topics": rand.sample(_WORDS, rand.randrange(1, 12)),
            "created_at": f"2026-{rand.randrange(1, 12):02d}-{rand.randrange(1, 28):02d}T12:{minute:02d}:00Z",
            "updated_at": f"2026-11-18T07:{minute:02d}:58.{rand.randrange(1_000):03d}Z",
            "creator": {"id": _id(rand, "u-"), "name": _text(rand, 1, 3)},
            "schedule": {
                "starts_at": f"2026-11-18T{rand.randrange(24):02d}:{minute:02d}:00Z",
                "duration_minutes": rand.choice((30, 60, 90)),
                "time_zone": "Europe/Vienna",
                "recurrence": "FREQ=WEEKLY;BYDAY=WE",
            },
        },
    }


FAMILIES: dict[str, tuple[str, Callable[[random.Random], dict[str, Any]]]] = {
    "click": ("click", _click),
    "chat": ("chat_message", _chat),
    "playback": ("playback_metric", _playback),
    "catalog": ("show_catalog_entry", _catalog),
}
"""The event type of each family and what makes its own part."""


def _context(rand: random.Random) -> dict[str, Any]:
    return {
        "trace": {"id": _uuid(rand), "sampled": rand.random() < 0.5},
        "experiments": [
            {"id": _id(rand, "x-"), "arm": {"name": rand.choice("abc"), "weight": rand.randrange(100)}}
            for _ in range(rand.randrange(6))
        ],
        "view": {"path": [rand.choice(_WORDS) for _ in range(4)], "size": {"w": 390, "h": 844}},
    }


def _compact(value: dict[str, Any], *, order: float) -> bytes:
    text = json.dumps(_reordered(value, order), ensure_ascii=False, separators=(",", ":"))
    return text.encode()


def _reordered(value: Any, order: float) -> Any:
    if not isinstance(value, dict):
        return value
    keys = random.Random(order).sample(sorted(value), len(value))
    return {key: _reordered(value[key], order) for key in keys}


def _text(rand: random.Random, least: int, most: int) -> str:
    # Most texts are short.
    return " ".join(rand.choices(_WORDS, k=least + int((most - least) * rand.random() ** 2)))


def _id(rand: random.Random, prefix: str) -> str:
    return f"{prefix}{rand.getrandbits(32):08x}"


def _show(rand: random.Random) -> str:
    return f"show-{rand.randrange(10_000)}"


def _uuid(rand: random.Random) -> str:
    digits = f"{rand.getrandbits(128):032x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
