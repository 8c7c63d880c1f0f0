"""One clock for everything in a rehearsal: the engine, the data planes, the scenario and the functions.

It moves with the machine's time and jumps ahead when told to; it never goes back and never sleeps.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime

import time_machine


class Clock:
    """Virtual time = machine time since the start + every jump made so far.

    While it runs, ``time.time()`` and ``datetime.now()`` of this process follow it, so that moto, boto3 and the
    scenario need no change. ``time.monotonic()`` and ``time.perf_counter()`` stay the machine's: time-outs of
    threads and sockets, and measured durations, are real.

    Args:
        start: the first moment, timezone-aware. The machine's present time when absent.

    Example:
        >>> with Clock(start=datetime(2030, 1, 1, tzinfo=UTC)) as clock:
        ...     clock.advance(3600)
        ...     clock.now().hour
        1
    """

    def __init__(self, start: datetime | None = None) -> None:
        if start is not None and start.tzinfo is None:
            raise ValueError(f"Clock start: given {start!r}, allowed is a timezone-aware datetime; add tzinfo=UTC")
        self._start = start
        self._traveller: time_machine.travel | None = None
        self._traveller_handle: time_machine.Traveller | None = None
        self._real_start = time.perf_counter()
        self.jumped_seconds = 0.0

    def start(self) -> None:
        """Make this process follow the clock. Starting a running clock changes nothing."""
        if self._traveller is None:
            self._traveller = time_machine.travel(self._start or datetime.now(UTC), tick=True)
            self._traveller_handle = self._traveller.start()
            self._real_start = time.perf_counter()

    def stop(self) -> None:
        """Give the process the machine's time back."""
        if self._traveller is not None:
            self._traveller.stop()
            self._traveller = self._traveller_handle = None

    def __enter__(self) -> Clock:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def time(self) -> float:
        """Virtual seconds since the epoch."""
        return time.time()

    def now(self) -> datetime:
        """Virtual time as an aware datetime in UTC."""
        return datetime.fromtimestamp(self.time(), UTC)

    def machine_now(self) -> datetime:
        """The machine's time as an aware datetime in UTC: that of other processes, whatever this one's clock says."""
        return datetime.fromtimestamp(time_machine.escape_hatch.time.time(), UTC)

    def advance(self, seconds: float) -> None:
        """Jump ``seconds`` ahead."""
        if seconds < 0:
            raise ValueError(f"Clock.advance: given {seconds} s, allowed is 0 or more; time never goes back")
        if self._traveller_handle is None:
            raise RuntimeError("Clock.advance: the clock is not running; call start() or use it in a with statement")
        self._traveller_handle.shift(seconds)
        self.jumped_seconds += seconds

    def advance_to(self, moment: float) -> None:
        """Jump to ``moment`` (virtual seconds since the epoch); nothing happens when it has passed."""
        ahead = moment - self.time()
        if ahead > 0:
            self.advance(ahead)

    @property
    def real_seconds(self) -> float:
        """Machine seconds since the clock was started, to tell real from compressed time."""
        return time.perf_counter() - self._real_start
