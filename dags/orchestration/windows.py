"""The window of hours that a run of a job is about, from when the DAG run was for; knows no clock of its own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

_FORM = "%Y-%m-%dT%H"


@dataclass(frozen=True, order=True)
class Hours:
    """From ``start`` to ``end``, which is not part of it: full hours in UTC, as the jobs' arguments write them."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.end <= self.start:
            raise ValueError(
                f"a window from {self.start:%Y-%m-%dT%H} to {self.end:%Y-%m-%dT%H} holds no hour; allowed: an end "
                "after the start; the end is not part of a window"
            )

    @classmethod
    def read(cls, start: str, end: str) -> Hours:
        """The window of two texts such as 2026-11-18T08.

        Raises:
            ValueError: they are written otherwise, or hold no hour.
        """
        return cls(_hour(start), _hour(end))

    @property
    def texts(self) -> dict[str, str]:
        """As an XCom or a job's arguments hold it."""
        return {"start": self.start.strftime(_FORM), "end": self.end.strftime(_FORM)}

    def meets(self, other: Hours) -> bool:
        """Whether an hour is part of both."""
        return self.start < other.end and other.start < self.end

    def pieces(self, hours: int) -> list[Hours]:
        """The window cut into windows of ``hours`` each, the last as long as is left."""
        cut, start = [], self.start
        while start < self.end:
            end = min(start + timedelta(hours=hours), self.end)
            cut.append(Hours(start, end))
            start = end
        return cut


AS_OF = "as_of"
"""The parameter by which a person says at which hour a run's windows end."""

HOUR_PATTERN = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}$"


def moment_of(context: Any) -> datetime:
    """The moment that a DAG run is for: its parameter `as_of`, the end of its data interval, or when it was due.

    A run of the clock has an interval that begins and ends as it is due; who starts one through the API can give
    another; one that a message started has none. The moment stays the same however often the run is cleared.
    """
    if given := context["params"].get(AS_OF):
        return _hour(given)
    run = context["dag_run"]
    moment: datetime = run.data_interval_end or run.logical_date or run.run_after
    return moment.astimezone(UTC)


def window_before(moment: datetime, *, hours: int) -> Hours:
    """The last ``hours`` full hours before ``moment``."""
    end = moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    return Hours(end - timedelta(hours=hours), end)


def window_through(moment: datetime, *, hours: int) -> Hours:
    """The last ``hours`` hours up to the end of the one in which ``moment`` is."""
    return window_before(moment + timedelta(hours=1) - timedelta.resolution, hours=hours)


def _hour(text: str) -> datetime:
    try:
        return datetime.strptime(text, _FORM).replace(tzinfo=UTC)
    except ValueError:
        raise ValueError(f"{text!r} is no hour; allowed: an hour in UTC such as 2026-11-18T08") from None
