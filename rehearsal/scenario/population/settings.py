"""Sizes and times of a population; draws nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LEAST = {
    "live_minutes": 1,
    "live_events": 0,
    "history_days": 0,
    "events_per_history_day": 0,
    "listeners": 20,
    "creators": 1,
    "shows": 10,
    "bots": 0,
}


def epoch_ms(moment: datetime) -> int:
    """Milliseconds since 1970, of an aware datetime."""
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def moment_of(at_ms: int) -> datetime:
    """The UTC datetime of milliseconds since 1970, exactly."""
    return _EPOCH + timedelta(milliseconds=at_ms)


@dataclass(frozen=True, kw_only=True)
class PopulationSettings:
    """How large a population is and which time it lives in; equal settings give byte-equal events.

    `live_events` app events happen in the `live_minutes` before `now`. History is the `history_days` UTC days before
    the day on which the live window begins, and that day up to the window. A history day of mean weekday volume has
    `events_per_history_day` app events; catalog changes come on top. `bots` accounts take part in storms.
    """

    seed: int = 7
    now: datetime
    live_minutes: int = 60
    live_events: int = 10_000
    history_days: int = 0
    events_per_history_day: int = 10_000
    listeners: int = 2_000
    creators: int = 60
    shows: int = 300
    bots: int = 5

    def __post_init__(self) -> None:
        """Refuse sizes from which no population can be made, and a `now` without a time zone."""
        if self.now.tzinfo is None:
            raise ValueError(f"now: given {self.now!r}, allowed is an aware datetime; add tzinfo=UTC")
        for name, least in _LEAST.items():
            given = getattr(self, name)
            if given < least:
                raise ValueError(f"{name}: given {given}, allowed is {least} or more; raise it")

    @property
    def live_end_ms(self) -> int:
        """End of the live window, in epoch milliseconds."""
        return epoch_ms(self.now)

    @property
    def live_start_ms(self) -> int:
        """Start of the live window, and end of history, in epoch milliseconds."""
        return self.live_end_ms - self.live_minutes * MINUTE_MS

    @property
    def history_start_ms(self) -> int:
        """Start of the first history day; the live window's start when there is no history."""
        if not self.history_days:
            return self.live_start_ms
        return self.live_start_ms // DAY_MS * DAY_MS - self.history_days * DAY_MS
