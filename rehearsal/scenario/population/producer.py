"""How a producer writes an event: the envelope, and what happens to it on real devices; invents no behaviour."""

from __future__ import annotations

import random
from bisect import bisect
from collections.abc import Mapping
from copy import deepcopy
from datetime import UTC, datetime, timedelta, timezone
from itertools import accumulate
from typing import Any

from rehearsal.scenario.population.people import Sender
from rehearsal.scenario.population.randomness import uuid_text
from rehearsal.scenario.population.settings import moment_of
from rehearsal.scenario.population.truth import Reality

Sent = tuple[int, dict[str, Any], tuple[Reality, ...]]
"""When it really happened (epoch milliseconds), the event as it is sent, and what was done to it."""

RATES = {
    Reality.NO_SENT_AT: 0.04,
    Reality.NO_EVENT_ID: 0.003,
    Reality.NO_DEVICE: 0.005,
    Reality.NO_APP_VERSION: 0.005,
    Reality.EXPLICIT_NULL: 0.005,
    Reality.UNKNOWN_FIELD: 0.02,
}
"""Share of the events that a device sends so. At most one of these happens to an event, beside a missing sent_at."""

_RARE_BY_BOUND = tuple(reality for reality in RATES if reality is not Reality.NO_SENT_AT)
_RARE_BOUNDS = tuple(accumulate(RATES[reality] for reality in _RARE_BY_BOUND))
_RARE_TOTAL = _RARE_BOUNDS[-1]
_NO_SENT_AT = RATES[Reality.NO_SENT_AT]
_UNKNOWN_FIELDS: tuple[tuple[str, object], ...] = (
    ("beta", {"flags": ["new-player", "日本語"], "ratio": 0.5}),
    ("trace", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
    ("battery", 0.82),
    ("ab_bucket", 9_007_199_254_740_993),
)


class Producer:
    """Writes events; one chance for all of them, so that the order of calls decides everything."""

    def __init__(self, chance: random.Random) -> None:
        """Take the chance from which ids, delays and mishaps are drawn."""
        self._chance = chance

    def send(
        self,
        at_ms: int,
        event_type: str,
        sender: Sender,
        body: Mapping[str, object],
        *,
        session_id: str | None = None,
        realities: tuple[Reality, ...] = (),
        signed_in: bool = True,
    ) -> Sent:
        """The event of one happening; `body` is what lies beside the envelope, `realities` what was done to it."""
        chance = self._chance
        moment = at_ms + sender.clock_error_ms
        event: dict[str, Any] = {
            "event_id": uuid_text(chance),
            "event_type": event_type,
            "schema_version": 1,
            "occurred_at": _time(moment, sender.offset_minutes),
        }
        luck = chance.random()
        if luck >= _NO_SENT_AT:
            event["sent_at"] = _time(moment + 40 + int(luck * 900), sender.offset_minutes)
        else:
            realities = (*realities, Reality.NO_SENT_AT)
        if sender.user_id is not None:
            if signed_in:
                event["user"] = {"id": sender.user_id}
            else:
                realities = (*realities, Reality.NO_USER_YET)
        if session_id is not None:
            event["session"] = {"id": session_id}
        if sender.device is not None:
            event["device"] = sender.device.copy()
            event["app"] = {"version": sender.app_version}
        event.update(body)
        if sender.realities:
            realities += sender.realities if signed_in else _without_user(sender.realities)
        luck = chance.random()
        # Senders with a wrong clock keep their device id: it is how their events are told from others.
        if luck < _RARE_TOTAL and sender.device is not None and not sender.clock_error_ms:
            realities = (*realities, self._mishap(event, luck))
        return at_ms, event, realities

    def _mishap(self, event: dict[str, Any], luck: float) -> Reality:
        reality = _RARE_BY_BOUND[bisect(_RARE_BOUNDS, luck, 0, len(_RARE_BOUNDS) - 1)]
        if reality is Reality.NO_EVENT_ID:
            del event["event_id"]
        elif reality is Reality.NO_DEVICE:
            del event["device"]
        elif reality is Reality.NO_APP_VERSION:
            del event["app"]
        elif reality is Reality.EXPLICIT_NULL:
            event["app"] = {"version": None}
        else:
            name, value = _UNKNOWN_FIELDS[int(self._chance.random() * len(_UNKNOWN_FIELDS))]
            event[name] = deepcopy(value)
        return reality


def _without_user(realities: tuple[Reality, ...]) -> tuple[Reality, ...]:
    return tuple(reality for reality in realities if reality is not Reality.NUMERIC_ID)


def _time(moment_ms: int, offset_minutes: int | None) -> int | str:
    if offset_minutes is None:
        return moment_ms
    return time_text(moment_of(moment_ms), offset_minutes=offset_minutes)


def time_text(moment: datetime, *, offset_minutes: int = 0) -> str:
    """ISO 8601 text with milliseconds, with Z in UTC and else with the offset."""
    if offset_minutes:
        moment = moment.astimezone(timezone(timedelta(minutes=offset_minutes)))
        return moment.isoformat(timespec="milliseconds")
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"
