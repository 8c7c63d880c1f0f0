"""Runs what AWS would be doing, one step at a time in the order of virtual time, and jumps over idle waiting.

It knows no service: whatever moves by itself (a poller, a buffer, a retry) is an `Activity`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Protocol

from rehearsal.engine.clock import Clock
from rehearsal.engine.errors import NotSettled

REFUSALS_UNTIL_BLOCKED = 3
PROGRESS_EVERY_S = 0.2


class Activity(Protocol):
    """Something that moves by itself.

    ``refusals`` counts the steps that were refused since the last one that succeeded: a service keeps trying,
    but a rehearsal ends when nothing else moves.
    """

    name: str
    refusals: int

    def due(self) -> float | None:
        """When it next has something to do, in virtual seconds since the epoch; None: nothing to do."""

    def step(self) -> None:
        """Do the one thing that is due."""

    def waiting(self) -> str:
        """What it still holds and why, for the error that says what is stuck; empty when it holds nothing."""


class Scheduler:
    """The activities of one account and the loop over them."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._activities: list[Activity] = []
        self._periodic: list[Activity] = []

    @property
    def activities(self) -> Sequence[Activity]:
        """All activities, in the order in which they were added."""
        return tuple(self._activities)

    def add(self, activity: Activity) -> None:
        """Let ``activity`` take part."""
        self._activities.append(activity)

    def add_periodic(self, activity: Activity) -> None:
        """Let an activity take part that is due again and again for ever.

        `settle` never waits for it, and steps it for what had passed when it began: what it sets off may itself take
        as long as its period, and would never settle.
        """
        self._periodic.append(activity)

    def settle(self, *, timeout_s: float, horizon_s: float, on_progress: Callable[[], None] | None = None) -> None:
        """Step until no activity has anything to do.

        Args:
            timeout_s: machine seconds that it may take.
            horizon_s: virtual seconds that it may take.
            on_progress: called a few times a second, from this thread.

        Raises:
            NotSettled: out of time, or all that is left is refused again and again.
        """
        started, virtual_start = time.monotonic(), self._clock.time()
        for activity in self._activities:
            activity.refusals = 0
        shown = started
        while (following := self._next(periodic_until=virtual_start)) is not None:
            due, activity = following
            if activity.refusals >= REFUSALS_UNTIL_BLOCKED and self._all_blocked():
                raise NotSettled("All that still waits is refused again and again:", self.waiting())
            if time.monotonic() - started > timeout_s:
                raise NotSettled(f"Not quiet after {timeout_s:g} s (real time):", self.waiting())
            if max(due, self._clock.time()) - virtual_start > horizon_s:
                raise NotSettled(f"Not quiet after {horizon_s:g} s of virtual time:", self.waiting())
            self._clock.advance_to(due)
            activity.step()
            if on_progress is not None and time.monotonic() - shown >= PROGRESS_EVERY_S:
                on_progress()
                shown = time.monotonic()

    def run_until(self, moment: float, *, on_progress: Callable[[], None] | None = None) -> None:
        """Step through everything that is due before ``moment`` (virtual seconds), then jump there."""
        while (following := self._next(periodic_until=moment)) is not None and following[0] <= moment:
            self._clock.advance_to(following[0])
            following[1].step()
            if on_progress is not None:
                on_progress()
        self._clock.advance_to(moment)

    def _next(self, *, periodic_until: float) -> tuple[float, Activity] | None:
        following: tuple[float, Activity] | None = None
        for activity in self._activities:
            due = activity.due()
            if due is not None and (following is None or due < following[0]):
                following = (due, activity)
        for activity in self._periodic:
            due = activity.due()
            if due is not None and due <= periodic_until and (following is None or due < following[0]):
                following = (due, activity)
        return following

    def _all_blocked(self) -> bool:
        pending = [activity for activity in self._activities if activity.due() is not None]
        return all(activity.refusals >= REFUSALS_UNTIL_BLOCKED for activity in pending)

    def waiting(self) -> list[str]:
        """One line for each activity that still holds something, with what was refused last."""
        return [f"{a.name}: {text}" for a in self._activities if (text := a.waiting())]
