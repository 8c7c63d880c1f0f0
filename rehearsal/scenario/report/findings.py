"""What a rehearsal found, as data: the one thing that page and terminal are made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from rehearsal.scenario.accounting import Account


@dataclass(frozen=True, kw_only=True)
class ResourceType:
    """Resources of one CloudFormation type: how many, whether they only exist or also act, and what was left aside.

    `ignored` gives the reason for each property that has no effect here.
    """

    name: str
    count: int
    only_modelled: bool
    honoured: Sequence[str]
    ignored: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class RoleUse:
    """What one role did: (action, resource, calls) that were allowed, refused, or granted and never needed.

    `unused` pairs a grant with the sentence that explains it; an empty sentence is a grant that nobody explained.
    """

    name: str
    used: Sequence[tuple[str, str, int]]
    denied: Sequence[tuple[str, str, int]]
    unused: Sequence[tuple[str, str]]


@dataclass(frozen=True, kw_only=True)
class Query:
    """A query over the landed files, with its answer."""

    title: str
    sql: str
    columns: Sequence[str]
    rows: Sequence[Sequence[object]]


@dataclass(frozen=True, kw_only=True)
class Step:
    """A box of the flow: its name, what it counts, and the count; `bad` when the count should be zero and is not.

    `branches` are where things go from here that do not go on to the next step.
    """

    name: str
    count: int
    unit: str
    bad: bool = False
    branches: Sequence[Step] = ()


@dataclass(frozen=True, kw_only=True)
class Lane:
    """Steps that follow one another; `joins` says that the last of them leads into the lane that all share."""

    title: str
    steps: Sequence[Step]
    joins: bool = False


@dataclass(frozen=True, kw_only=True)
class Findings:
    """All that one rehearsal found.

    `delays_s` are virtual seconds from an event's arrival on the stream to its file in the lake; `per_minute` counts
    arrivals for each virtual minute; `phases` are real seconds. `diagnosis` says where the way of the data ends.
    """

    stage: str
    started: datetime
    settings: Mapping[str, object]
    account: Account
    flow: Sequence[Lane]
    faults: Sequence[tuple[str, str, bool]]
    resources: Sequence[ResourceType]
    roles: Sequence[RoleUse]
    delays_s: Sequence[float]
    per_minute: Sequence[tuple[str, int]]
    queries: Sequence[Query]
    phases: Mapping[str, float]
    virtual_s: float
    refusals: Sequence[str] = ()
    diagnosis: Sequence[str] = ()
    notes: Sequence[str] = field(default_factory=tuple)

    @property
    def unexplained(self) -> list[str]:
        """Grants that no call needed and that nobody explained."""
        return [f"{role.name}: {grant}" for role in self.roles for grant, why in role.unused if not why]

    @property
    def problems(self) -> list[str]:
        """What makes the rehearsal fail, a sentence each."""
        missing = self.account.missing
        found = list(self.diagnosis)
        found += [f"missing: {name}" for name in missing[:20]]
        if len(missing) > 20:
            found.append(f"and {len(missing) - 20} more missing")
        found += self.account.unexpected[:20]
        found += [f"refused: {text}" for text in self.refusals]
        found += [f"a fault was not met: {name} ({said})" for name, said, met in self.faults if not met]
        found += [f"granted, never used and not explained: {grant}" for grant in self.unexplained]
        return found


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which `share` of the values lie (nearest rank); 0 when there are none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def histogram(values: Sequence[float], *, bins: int) -> list[tuple[str, int]]:
    """Counts in `bins` equal steps from 0 to the largest value, each under its range in seconds."""
    if not values:
        return []
    width = max(values) / bins or 1.0
    counts = [0] * bins
    for value in values:
        counts[min(bins - 1, int(value / width))] += 1
    return [(f"{index * width:.0f}-{(index + 1) * width:.0f} s", count) for index, count in enumerate(counts)]
