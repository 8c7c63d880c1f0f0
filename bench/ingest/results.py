"""Results of the bench of the ingest function and the targets that they reach; measures nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from bench.ingest.contenders import OURS
from bench.results import Target, changed_targets

COLD_S = 0.150
"""Imports and first call over those of a function that does nothing, in CPU seconds."""
CALLS_PER_SHOW = 1.0
"""Calls of the API for a show that one batch names any number of times, where the service answers."""
SLOWER = 0.1
"""Changes of a smaller part than this are taken for chance."""


@dataclass(frozen=True, kw_only=True)
class Rate:
    """One contender on batches of `shows` distinct shows, where the API takes `latency_ms` to answer.

    `per_s` is shows a second of wall time, `cpu_ms` the milliseconds that its thread computes for a show; both are
    medians over the rounds, and `_of_each` the lowest and the highest. `to_bare` is the median of each round's ratio
    of wall time to that of bare calls.
    """

    latency_ms: float
    contender: str
    shows: int
    per_s: float
    per_s_of_each: list[float]
    to_bare: float
    cpu_ms: float
    cpu_ms_of_each: list[float]


@dataclass(frozen=True, kw_only=True)
class Repeats:
    """Calls of the API for messages that name shows more than once.

    `shows_of_batches` counts a show once for each batch that names it.
    """

    order: str
    batches: int
    messages: int
    shows: int
    shows_of_batches: int
    calls: int

    @property
    def per_show(self) -> float:
        """Calls a distinct show, all batches together."""
        return self.calls / self.shows

    @property
    def per_show_of_a_batch(self) -> float:
        """Calls a distinct show of a batch."""
        return self.calls / self.shows_of_batches


@dataclass(frozen=True, kw_only=True)
class Cold:
    """Starts through the runtime client over those of a function that does nothing, in CPU seconds.

    `cold_s` is from the start of the process to its first answer, `import_s` what of it comes before the first
    request; medians, and the lowest and the highest of the former. `first_s` and `next_s` are calls with one message.
    """

    starts: int
    cold_s: float
    cold_s_of_each: list[float]
    import_s: float
    first_s: float
    next_s: float


@dataclass(frozen=True, kw_only=True)
class Ingest:
    """One run of the bench."""

    date: str
    machine: str
    versions: dict[str, str]
    rounds: int
    rates: list[Rate]
    repeats: list[Repeats]
    cold: Cold | None

    def of(self, contender: str, latency_ms: float) -> Rate | None:
        """A contender's rate at a latency."""
        return next((one for one in self.rates if (one.contender, one.latency_ms) == (contender, latency_ms)), None)

    def as_json(self) -> dict[str, Any]:
        """The results as JSON holds them."""
        return asdict(self)


def from_json(held: Any | None) -> Ingest | None:
    """The results that `as_json` gave, or None for None."""
    if held is None:
        return None
    return Ingest(
        **{
            **held,
            "rates": [Rate(**one) for one in held["rates"]],
            "repeats": [Repeats(**one) for one in held["repeats"]],
            "cold": Cold(**held["cold"]) if held["cold"] else None,
        }
    )


def targets(results: Ingest) -> Iterator[Target]:
    """The targets that can be judged by these results."""
    most = max(one.per_show_of_a_batch for one in results.repeats)
    yield Target(
        what="calls of the API a distinct show of a batch",
        wanted=f"at most {CALLS_PER_SHOW:g}",
        measured=f"{most:.2f}",
        met=most <= CALLS_PER_SHOW,
    )
    if results.cold:
        yield Target(
            what="cold start over a bare function, ms of CPU",
            wanted=f"at most {COLD_S * 1e3:g}",
            measured=f"{results.cold.cold_s * 1e3:.0f}",
            met=results.cold.cold_s <= COLD_S,
        )


def changes(now: Ingest, before: Ingest | None) -> Iterator[str]:
    """How our results differ from the recorded ones, a line for each that both have."""
    if before is None:
        yield "nothing is recorded yet; record these with --record"
        return
    if now.machine != before.machine:
        yield f"recorded on another machine ({before.machine}): times differ for that alone"
    for one in now.rates:
        known = before.of(one.contender, one.latency_ms)
        if known is not None and one.contender == OURS:
            at = f"at {one.latency_ms:g} ms"
            yield _change(f"time a show {at}", 1e3 / one.per_s, 1e3 / known.per_s)
            yield _change(f"CPU a show {at}", one.cpu_ms, known.cpu_ms)
    if now.cold and before.cold:
        yield _change("cold start", now.cold.cold_s * 1e3, before.cold.cold_s * 1e3)
    yield from changed_targets(targets(now), targets(before))


def _change(what: str, now_ms: float, before_ms: float) -> str:
    part = now_ms / before_ms - 1
    judged = "SLOWER" if part > SLOWER else "faster" if part < -SLOWER else "as recorded"
    return f"{what}: {now_ms:.2f} ms, recorded {before_ms:.2f} ms ({part:+.0%}, {judged})"
