"""Numbers, times and comparisons as people read them; knows no report and writes no HTML.

A value that is None is not known, and says so; it is never shown as 0. Numbers keep together with their unit (no-break
spaces). Times are UTC.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

NOT_KNOWN = "not known yet"
"""What stands in place of a value that is null."""

_SPACE = "\N{NO-BREAK SPACE}"
_MINUS = "\N{MINUS SIGN}"
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip

Direction = Literal["up", "down", "same", "unknown"]
Tone = Literal["good", "bad", "plain"]
_ARROWS: dict[Direction, str] = {"up": "▲", "down": "▼", "same": "=", "unknown": "–"}


def count(value: float | None) -> str:
    """A whole number with separators: `1,234`."""
    return NOT_KNOWN if value is None else _signed(f"{value:,.0f}")


def decimal(value: float | None, digits: int = 1) -> str:
    """A number with a fixed count of decimals: `1,234.5`."""
    return NOT_KNOWN if value is None else _signed(f"{value:,.{digits}f}")


def share(value: float | None) -> str:
    """A share from 0 to 1 in per cent: `12.3 %`. What is not quite nothing, or not quite all, is not rounded to it."""
    if value is None:
        return NOT_KNOWN
    if 0 < value < 0.0005:
        return f"under{_SPACE}0.1{_SPACE}%"
    if 0.9995 <= value < 1:
        return f"over{_SPACE}99.9{_SPACE}%"
    return f"{int(value * 100) if value in (0, 1) else format(value * 100, '.1f')}{_SPACE}%"


def points(value: float | None) -> str:
    """A difference of two shares, in percentage points: `+1.2 points`. One that is not nothing keeps its sign."""
    if value is None:
        return NOT_KNOWN
    digits = 1 if value == 0 or abs(value) >= 0.0005 else 2
    text = f"{value * 100:+.{digits}f}"
    return f"{_signed('0' if float(text) == 0 else text)}{_SPACE}points"


def signed_count(value: float | None) -> str:
    """A difference in whole things: `+1,234`."""
    if value is None:
        return NOT_KNOWN
    return "0" if round(value) == 0 else _signed(f"{value:+,.0f}")


def duration(minutes: float | None) -> str:
    """A time span given in minutes: `45 s`, `12 min`, `3 h 20 min`, `1,234 h`."""
    if minutes is None:
        return NOT_KNOWN
    sign, minutes = (_MINUS if minutes < 0 else ""), abs(minutes)
    seconds = round(minutes * 60)
    if seconds == 0:
        return f"0{_SPACE}min"
    if seconds < 60:
        return f"{sign}{seconds}{_SPACE}s"
    hours, rest = divmod(round(minutes), 60)
    if hours >= 100:
        return f"{sign}{minutes / 60:,.0f}{_SPACE}h"
    if not hours:
        return f"{sign}{rest}{_SPACE}min"
    return f"{sign}{hours}{_SPACE}h" + (f"{_SPACE}{rest}{_SPACE}min" if rest else "")


def plural(value: float | None, one: str, many: str) -> str:
    """A count with its noun: `1 show`, `2 shows`."""
    return f"{count(value)}{_SPACE}{one if value == 1 else many}"


def long_day(day: date) -> str:
    """`Saturday 21 November 2026`."""
    return f"{_DAYS[day.weekday()]} {day.day} {_MONTHS[day.month - 1]} {day.year}"


def short_day(day: date) -> str:
    """`21 Nov`."""
    return f"{day.day}{_SPACE}{_MONTHS[day.month - 1][:3]}"


def month(day: date) -> str:
    """`November 2026`."""
    return f"{_MONTHS[day.month - 1]} {day.year}"


def moment(value: datetime | None) -> str:
    """A moment in UTC: `21 Nov 2026, 03:10 UTC`."""
    if value is None:
        return NOT_KNOWN
    return f"{short_day(value)}{_SPACE}{value.year}, {value:%H:%M}{_SPACE}UTC"


@dataclass(frozen=True, kw_only=True)
class Change:
    """A value held against another: which way it went, in words, and whether that is good, bad or neither."""

    direction: Direction
    words: str
    tone: Tone = "plain"

    @property
    def arrow(self) -> str:
        """▲, ▼, = or –; the words say the same."""
        return _ARROWS[self.direction]

    @property
    def clause(self) -> str:
        """The words as the end of a sentence: `, 12.3 % more than …`; empty where there is nothing to compare."""
        return "" if self.direction == "unknown" else f", {self.words}"


def change(
    now: float | None,
    then: float | None,
    against: str,
    *,
    kind: Literal["number", "share"] = "number",
    better: Literal["more", "less", "neither"] = "more",
) -> Change:
    """How `now` stands to `then`, which `against` names: `12.3 % more than` + `the day before`.

    Shares are compared in percentage points. A comparison with a value that is not known says so; one with 0 gives no
    percentage.
    """
    if now is None or then is None:
        return Change(direction="unknown", words=f"{against}: {NOT_KNOWN}")
    if kind == "share":
        difference = round((now - then) * 100, 1)
        amount = f"{abs(difference):.1f}{_SPACE}points"
    elif then <= 0 or now < 0:
        difference = now - then
        amount = "" if then == 0 else relative(now, then)
    else:
        difference = round((now - then) / then * 100, 1)
        amount = relative(now, then)
        if amount.endswith("times"):
            return Change(direction="up", words=f"{amount} {against}", tone=_tone("up", better))
    if difference == 0:
        return Change(direction="same", words=f"as {against}")
    direction: Direction = "up" if difference > 0 else "down"
    word = "more" if direction == "up" else "less"
    words = f"{amount} {word} than {against}" if amount else f"{word} than {against}, which had none"
    return Change(direction=direction, words=words, tone=_tone(direction, better))


def relative(now: float, then: float) -> str:
    """By how much `now` differs from `then`, without a sign: `12.3 %`, or from tenfold on `12 times`.

    Where one of them is not above 0 no ratio says anything, so that it is the difference: `7`.
    """
    if then <= 0 or now < 0:
        return count(abs(now - then))
    if now / then >= 10:
        return f"{now / then:,.0f}{_SPACE}times"
    return f"{abs(now - then) / then * 100:,.1f}{_SPACE}%"


def _tone(direction: Direction, better: str) -> Tone:
    if better == "neither":
        return "plain"
    return "good" if (direction == "up") == (better == "more") else "bad"


def _signed(text: str) -> str:
    """The number with a true minus sign, and none before a zero."""
    if not text.startswith("-"):
        return text
    return text[1:] if not text.strip("-0.,") else f"{_MINUS}{text[1:]}"
