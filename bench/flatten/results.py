"""Results of the bench of the flattening function and the targets that they reach; measures nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from bench.flatten.contenders import FLOOR, OURS, USUAL
from bench.flatten.families import KNOWN, UNKNOWN
from bench.results import Target

TO_FLOOR = {KNOWN: 1.6, UNKNOWN: 2.1}
"""Our time at most, as a multiple of the floor's, by kind of event."""
FASTER_THAN_USUAL = 4.0
RESPONSE_TO_REQUEST = 1.25
COLD_S = 0.030
"""Imports and first call over those of a function that does nothing, in CPU seconds."""
PEAK_BYTES = 128 * 2**20
"""Most memory for a request of 6 MB over that of a function that does nothing."""


@dataclass(frozen=True, kw_only=True)
class Speed:
    """One contender on events of one kind: CPU microseconds an event, median and span over the rounds.

    `family` is one of `families.FAMILIES`, `all` of them, or the name of a file. `to_floor` is the median of each
    round's ratio.
    """

    kind: str
    family: str
    bytes: int
    contender: str
    us: float
    us_of_each: list[float]
    to_floor: float


@dataclass(frozen=True, kw_only=True)
class Called:
    """One contender through the runtime client: CPU seconds of one request, start over a bare one, memory over one."""

    contender: str
    request_bytes: int
    response_bytes: int
    call_s: float
    cold_s: float
    extra_bytes: int


@dataclass(frozen=True, kw_only=True)
class Flatten:
    """One run of the bench. `agreement` counts, by contender, values that agree with ours and why others do not."""

    date: str
    machine: str
    versions: dict[str, str]
    rounds: int
    speeds: list[Speed]
    called: list[Called]
    response_to_request: float
    agreement: dict[str, dict[str, int]]

    def of(self, contender: str, kind: str, family: str) -> Speed | None:
        """A contender's speed with some events."""
        wanted = (contender, kind, family)
        return next((one for one in self.speeds if (one.contender, one.kind, one.family) == wanted), None)

    def as_json(self) -> dict[str, Any]:
        """The results as JSON holds them."""
        return asdict(self)


def from_json(held: Any | None) -> Flatten | None:
    """The results that `as_json` gave, or None for None."""
    if held is None:
        return None
    speeds = [Speed(**one) for one in held["speeds"]]
    return Flatten(**{**held, "speeds": speeds, "called": [Called(**one) for one in held["called"]]})


def targets(results: Flatten) -> Iterator[Target]:
    """The targets that can be judged by these results."""
    for kind, most in TO_FLOOR.items():
        ours = results.of(OURS, kind, "all")
        if ours:
            yield _at_most(f"ours / floor, {kind} events", ours.to_floor, most)
        for name in USUAL:
            theirs = results.of(name, kind, "all")
            if ours and theirs:
                times = theirs.us / ours.us
                yield Target(
                    what=f"{name} / ours, {kind} events",
                    wanted=f"at least {FASTER_THAN_USUAL:g}",
                    measured=f"{times:.2f}",
                    met=times >= FASTER_THAN_USUAL,
                )
    yield _at_most("response / request, the largest of families and kinds", results.response_to_request, 1.25)
    for one in results.called:
        if one.contender == OURS:
            yield _at_most("cold start over a bare function, ms of CPU", one.cold_s * 1e3, COLD_S * 1e3)
            yield _at_most("memory for 6 MB over a bare function, MiB", one.extra_bytes / 2**20, PEAK_BYTES / 2**20)


def _at_most(what: str, measured: float, most: float) -> Target:
    return Target(what=what, wanted=f"at most {most:g}", measured=f"{measured:.2f}", met=measured <= most)


def changes(now: Flatten, before: Flatten | None) -> Iterator[str]:
    """How our ratios to the floor differ from the recorded ones; they bear a change of machine, times do not."""
    if before is None:
        yield "nothing is recorded yet; record these with --record"
        return
    for one in now.speeds:
        known = before.of(one.contender, one.kind, one.family)
        if known is not None and one.contender != FLOOR:
            change = one.to_floor / known.to_floor - 1
            judged = "SLOWER" if change > 0.1 else "faster" if change < -0.1 else "as recorded"
            if one.contender == OURS or judged != "as recorded":
                yield (
                    f"{one.contender}, {one.kind} {one.family}: {one.to_floor:.2f} × the floor, "
                    f"recorded {known.to_floor:.2f} ({change:+.0%}, {judged})"
                )
