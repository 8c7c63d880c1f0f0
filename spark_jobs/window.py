"""The window of hours that a run is about; knows no job and no clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

_FORMS = ("%Y-%m-%dT%H", "%Y-%m-%d")


@dataclass(frozen=True, kw_only=True)
class Window:
    """From `start` to `end`, `end` not part of it; full hours in UTC, as the raw zone's arrival folders are."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        """Refuse a window that holds no hour."""
        for name, moment in (("start", self.start), ("end", self.end)):
            if moment.tzinfo is not UTC or moment != moment.replace(minute=0, second=0, microsecond=0):
                raise ValueError(f"window {name} {moment} is not a full hour in UTC")
        if self.end <= self.start:
            raise ValueError(
                f"the window ends at {self.end:%Y-%m-%dT%H}, which is not after its start {self.start:%Y-%m-%dT%H}; "
                f"the end is not part of a window: one hour is 2026-11-18T08 to 2026-11-18T09"
            )

    def refuse_future(self, now: datetime) -> None:
        """Refuse a window with an hour that has not begun: what reads its tables would take them for made that far.

        Raises:
            ValueError: it ends after the end of the current hour.
        """
        latest = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
        if self.end > latest:
            raise ValueError(
                f"the window ends at {self.end:%Y-%m-%dT%H}, but its last hours have not begun; allowed is "
                f"{latest:%Y-%m-%dT%H} at most (UTC), the end of the current hour"
            )

    @property
    def length(self) -> timedelta:
        """How long it is."""
        return self.end - self.start

    @property
    def arrivals(self) -> tuple[str, ...]:
        """Its hours as the raw zone's arrival folders write them: `yyyy-MM-dd-HH`."""
        hours = int(self.length.total_seconds()) // 3600
        return tuple(f"{self.start + timedelta(hours=hour):%Y-%m-%d-%H}" for hour in range(hours))

    @property
    def days(self) -> tuple[date, ...]:
        """The UTC days that it touches."""
        last = (self.end - timedelta(hours=1)).date()
        return tuple(self.start.date() + timedelta(days=n) for n in range((last - self.start.date()).days + 1))


def read_hour(text: str) -> datetime:
    """An hour written `2026-11-18T08`, or a day `2026-11-18` for its first hour; in UTC.

    Raises:
        ValueError: it is written otherwise.
    """
    for form in _FORMS:
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC)
        except ValueError:
            continue
    raise ValueError(f"{text!r} is no hour; write an hour in UTC such as 2026-11-18T08, or a day such as 2026-11-18")
