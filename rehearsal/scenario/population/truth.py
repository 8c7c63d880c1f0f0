"""What a population planted and produced, for whoever checks the platform's answers; produces nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from rehearsal.scenario.population.effects import Experiment, Promotion, Storm, Surge


class Reality(StrEnum):
    """What real producers do to events that still follow their contract."""

    NO_EVENT_ID = "no_event_id"
    NO_SENT_AT = "no_sent_at"
    NO_USER_YET = "no_user_yet"
    """The listener has not signed in."""
    NO_DEVICE = "no_device"
    NO_APP_VERSION = "no_app_version"
    EXPLICIT_NULL = "explicit_null"
    UNKNOWN_FIELD = "unknown_field"
    CLOCK_HOURS_OFF = "clock_hours_off"
    CLOCK_YEARS_OFF = "clock_years_off"
    NUMERIC_ID = "numeric_id"
    """The user's id is sent as a JSON number, beyond 2^53."""
    TEXT_TIME = "text_time"
    """Moments are ISO 8601 text with Z or an offset instead of epoch milliseconds."""
    TEXT_DECIMAL = "text_decimal"
    BIG_INTEGER = "big_integer"
    """A bigint column holds more than 2^53."""


@dataclass(kw_only=True)
class Tally:
    """How many events of each type, with each reality and on each UTC day were produced.

    `days` are the days on which they really happened; a wrong clock says otherwise.
    """

    types: Counter[str] = field(default_factory=Counter)
    realities: Counter[Reality] = field(default_factory=Counter)
    days: Counter[str] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        """Events in all."""
        return self.types.total()

    def count(self, event_type: str, realities: Iterable[Reality], day: str) -> None:
        """Add one event."""
        self.types[event_type] += 1
        self.days[day] += 1
        for reality in realities:
            self.realities[reality] += 1


@dataclass(kw_only=True)
class Truth:
    """The planted facts, fixed, and the tallies: each begins anew with its iteration and is whole at its end.

    `clock_errors_ms` maps the device ids with a wrong clock to how far ahead (or behind: negative) they are.
    """

    experiments: tuple[Experiment, ...]
    promotions: tuple[Promotion, ...]
    surge: Surge
    storms: tuple[Storm, ...]
    bot_ids: tuple[str, ...]
    clock_errors_ms: dict[str, int]
    live: Tally = field(default_factory=Tally)
    history: Tally = field(default_factory=Tally)
