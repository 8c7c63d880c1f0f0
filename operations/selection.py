"""Which failed records a command is about: hours of arrival, types, reasons; it reads none of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from operations.platform import OperationsError

HOUR_FORMAT = "%Y-%m-%d-%H"
"""An arrival hour as the raw bucket's folders write it (UTC)."""

_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)(?:[-T ](\d\d)(?::00)?Z?)?")


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Hours `since` (included) to `until` (excluded) as `yyyy-MM-dd-HH` in UTC; empty fields select everything."""

    since: str = ""
    until: str = ""
    types: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()

    @property
    def selects_everything(self) -> bool:
        """Whether nothing is left out."""
        return not (self.since or self.until or self.types or self.reasons)

    def takes_type(self, name: str) -> bool:
        """Whether records of this type are asked for; what cannot be read is of type `unknown`."""
        return not self.types or name in self.types

    def takes_reason(self, code: str) -> bool:
        """Whether records with this reason code are asked for."""
        return not self.reasons or code in self.reasons

    def takes_hour(self, hour: str) -> bool:
        """Whether an arrival hour lies within the range."""
        return (not self.since or hour >= self.since) and (not self.until or hour < self.until)


def hour_of(text: str) -> str:
    """An hour as the folders write it, from `2026-11-18`, `2026-11-18T20` or `2026-11-18-20` (UTC).

    Raises:
        OperationsError: none of these.
    """
    found = _MOMENT.fullmatch(text.strip())
    try:
        if found is None:
            raise ValueError
        return (
            datetime.strptime(f"{found[1]}-{found[2] or '00'}", HOUR_FORMAT).replace(tzinfo=UTC).strftime(HOUR_FORMAT)
        )
    except ValueError:
        raise OperationsError(
            f"An hour cannot be read; given: {text!r}; allowed: a UTC day such as 2026-11-18 (its first hour) or hour "
            "such as 2026-11-18T20; fix: write it so."
        ) from None
