"""Records that go wrong on purpose, each with the outcome that the platform owes it; sends nothing."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass

from contracts.reasons import Reason
from rehearsal.scenario.population.randomness import generator, short_id, uuid_text
from rehearsal.scenario.population.settings import DAY_MS, PopulationSettings

LANDED = "landed"
LATE_DAYS = 3
FUTURE_DAYS = 4 * 365
_TOO_DEEP_LEVELS = 400


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One record and what must become of it.

    `line` is the record without a newline. `expected` is `landed` or `quarantined:<reason code>`, and `type` the event
    type under which it lands or is quarantined (`unknown` where none can be read or no contract declares it).
    `event_id` is the id that it carries, None where it carries none that can be read; two faults of one id are
    deliveries of one event.
    """

    kind: str
    line: bytes
    expected: str
    type: str
    event_id: str | None


def faults(settings: PopulationSettings) -> tuple[Fault, ...]:
    """Every kind of fault once, the duplicate behind its original; the same for equal settings."""
    return tuple(_faults(settings, generator(settings.seed, "faults")))


def _faults(settings: PopulationSettings, chance: random.Random) -> Iterator[Fault]:
    now_ms = settings.live_end_ms - 1_000

    def event(event_type: str, at_ms: int = now_ms, **body: object) -> dict[str, object]:
        return {
            "event_id": uuid_text(chance),
            "event_type": event_type,
            "schema_version": 1,
            "occurred_at": at_ms,
            "user": {"id": short_id("u", chance)},
            "show": {"id": "show-1009"},
            **body,
        }

    original = event("chat_message", message={"id": short_id("m", chance), "text": "twice ✌️ двічі"})
    yield _fault("original", original, LANDED)
    yield _fault("duplicate", original, LANDED)
    yield _fault("late", event("like", now_ms - LATE_DAYS * DAY_MS, like={"count": 2}), LANDED)
    yield _fault("future", event("like", now_ms + FUTURE_DAYS * DAY_MS, like={"count": 2}), LANDED)
    yield _fault("unknown type", event("hologram_shown", hologram={"größe": 2**70}), LANDED, type_name="unknown")
    without_id = event("like", like={"count": 3})
    del without_id["event_id"]
    yield _fault("missing event id", without_id, LANDED)

    playback = {"id": "p-1", "listened_ms": "a while"}
    yield _fault("wrong type", event("playback_metric", playback=playback), _quarantined(Reason.WRONG_TYPE))
    follow = {"target_kind": "show", "action": "follow"}
    yield _fault("missing column", event("follow", follow=follow), _quarantined(Reason.MISSING_COLUMN))
    yield _fault("out of range", event("like", like={"count": 2**40}), _quarantined(Reason.OUT_OF_RANGE))
    deep = event("like", nest=json.loads("[" * _TOO_DEEP_LEVELS + "]" * _TOO_DEEP_LEVELS))
    yield _fault("too deep", deep, _quarantined(Reason.TOO_DEEP))
    half = event("chat_message", message={"id": "m-1", "text": "half \ud83d"})
    yield _fault("half a character", half, _quarantined(Reason.INVALID_TEXT), ascii_only=True)
    twice = _bytes(event("like")).replace(b'"schema_version":1', b'"schema_version":1,"schema_version":2')
    yield _unreadable("key twice", twice, Reason.DUPLICATE_KEY)
    yield _unreadable("poison", b'{"event_type": "like", "show": {"id": ', Reason.NOT_JSON)
    yield _unreadable("not UTF-8", b'{"event_type": "like", "show": {"id": "\xff\xfe"}}', Reason.NOT_JSON)
    yield _unreadable("not an object", b'["like", 1]', Reason.NOT_AN_OBJECT)


def _fault(
    kind: str, body: dict[str, object], expected: str, *, type_name: str = "", ascii_only: bool = False
) -> Fault:
    identity = body.get("event_id")
    return Fault(
        kind=kind,
        line=_bytes(body, ascii_only=ascii_only),
        expected=expected,
        type=type_name or str(body["event_type"]),
        event_id=None if identity is None else str(identity),
    )


def _unreadable(kind: str, line: bytes, reason: Reason) -> Fault:
    return Fault(kind=kind, line=line, expected=_quarantined(reason), type="unknown", event_id=None)


def _quarantined(reason: Reason) -> str:
    return f"quarantined:{reason.value}"


def _bytes(body: dict[str, object], *, ascii_only: bool = False) -> bytes:
    return json.dumps(body, ensure_ascii=ascii_only, separators=(",", ":")).encode()
