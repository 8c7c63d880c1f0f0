"""Reads AWS's schedule expressions, ``rate(…)`` and ``cron(…)``, and says when they are due next, in UTC.

Rules: Amazon EventBridge User Guide, "Setting a schedule pattern for scheduled rules".
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_RATE = re.compile(r"rate\((\d+) (minute|hour|day)(s?)\)")
_CRON = re.compile(r"cron\(([^()]+)\)")
_UNITS = {"minute": 60, "hour": 3600, "day": 86_400}
_MONTHS = {name: number for number, name in enumerate(calendar.month_abbr) if name}
# Sunday is 1.
_DAYS = {name: number for number, name in enumerate(("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"), start=1)}
_YEARS_AHEAD = 5


@dataclass(frozen=True, kw_only=True)
class Rate:
    """Every so many seconds."""

    seconds: int

    def next_after(self, moment: float) -> float:
        """When it is due after ``moment``, both in seconds since the epoch."""
        return moment + self.seconds


@dataclass(frozen=True, kw_only=True)
class Cron:
    """At each minute that all fields allow; ``days`` and ``weekdays``: an empty one is ``?``."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    last_day: bool
    months: frozenset[int]
    weekdays: frozenset[int]
    years: frozenset[int]

    def next_after(self, moment: float) -> float:
        """When it is due after ``moment``, both in seconds since the epoch; infinity: never again."""
        start = datetime.fromtimestamp(moment, UTC).replace(second=0, microsecond=0) + timedelta(minutes=1)
        day = start.replace(hour=0, minute=0)
        for _ in range(366 * _YEARS_AHEAD):
            if self._allows(day):
                for hour in sorted(self.hours):
                    for minute in sorted(self.minutes):
                        due = day.replace(hour=hour, minute=minute)
                        if due >= start:
                            return due.timestamp()
            day += timedelta(days=1)
        return float("inf")

    def _allows(self, day: datetime) -> bool:
        last = calendar.monthrange(day.year, day.month)[1]
        weekday = day.isoweekday() % 7 + 1
        of_month = day.day in self.days or (self.last_day and day.day == last)
        return day.year in self.years and day.month in self.months and (of_month or weekday in self.weekdays)


def read_schedule(expression: str) -> Rate | Cron:
    """Read a schedule expression.

    Raises:
        ValueError: it is neither, or uses W or # or L of weekdays, which are not played.
    """
    if rate := _RATE.fullmatch(expression):
        number, unit, plural = int(rate[1]), rate[2], rate[3]
        if number < 1 or (number == 1) == bool(plural):
            raise ValueError(f"Schedule {expression!r}: allowed is rate(1 {unit}) or rate(n {unit}s) with n over 1")
        return Rate(seconds=number * _UNITS[unit])
    found = _CRON.fullmatch(expression)
    fields = found[1].split() if found else []
    if len(fields) != 6:
        raise ValueError(f"Schedule {expression!r}: allowed is rate(n unit) or cron() with six fields")
    minutes, hours, days, months, weekdays, years = fields
    if (days == "?") == (weekdays == "?"):
        raise ValueError(f"Schedule {expression!r}: exactly one of day of month and day of week is '?'")
    return Cron(
        minutes=_field(minutes, range(60)),
        hours=_field(hours, range(24)),
        days=frozenset() if days in ("?", "L") else _field(days, range(1, 32)),
        last_day=days == "L",
        months=_field(months, range(1, 13), _MONTHS),
        weekdays=frozenset() if weekdays == "?" else _field(weekdays, range(1, 8), _DAYS),
        years=_field(years, range(1970, 2200)),
    )


def _field(text: str, allowed: Sequence[int], names: Mapping[str, int] | None = None) -> frozenset[int]:
    found: set[int] = set()
    for part in text.split(","):
        span, _, step = part.partition("/")
        first, _, last = span.partition("-")
        low = allowed[0] if first == "*" else _number(first, names)
        high = allowed[-1] if first == "*" or (step and not last) else _number(last or first, names)
        found.update(range(low, high + 1, int(step or 1)))
    if not found or not found <= set(allowed):
        raise ValueError(f"Schedule field {text!r}: allowed are {allowed[0]} to {allowed[-1]}, lists, ranges and steps")
    return frozenset(found)


def _number(text: str, names: Mapping[str, int] | None) -> int:
    known = (names or {}).get(text.capitalize())
    if known is not None:
        return known
    if not text.isdigit():
        raise ValueError(f"Schedule field {text!r} is not played; use numbers, names, lists, ranges and steps")
    return int(text)
