"""What a rehearsal found, as data: the one thing that page and terminal are made from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from rehearsal.scenario.accounting import Account
from rehearsal.scenario.orchestration_findings import OrchestrationFindings
from rehearsal.scenario.reports import ReportsFindings
from rehearsal.scenario.tables import TableFound
from rehearsal.scenario.tables_account import TablesAccount
from rehearsal.scenario.warehouse_findings import WarehouseFindings


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
class JobRun:
    """A run of a job, as its record tells; `seconds` is all that it took, the start of Spark with it."""

    job: str
    status: str
    files_in: int
    bytes_in: int
    rows_in: int
    rows_out: int
    rows_rejected: int
    duration_ms: int
    seconds: float
    rejected: Mapping[str, int] = field(default_factory=dict)
    error: str = ""


@dataclass(frozen=True, kw_only=True)
class Crawl:
    """A crawl, on the rehearsal's clock."""

    crawler: str
    began: datetime
    ended: datetime | None
    state: str
    error: str = ""


@dataclass(frozen=True, kw_only=True)
class TypeTotals:
    """The account of one type over all its days; `days` says from when to when."""

    type: str
    days: str
    deliveries: int
    events: int
    rows: int
    refused: Counter[str]
    missing: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class TablesFindings:
    """What was found of the lake's tables.

    `databases` maps a zone to its Glue database; `raw_tables` are what crawlers made: name, columns, state.
    `listeners`, `minutes` and `trending` pair a show with a number, for plots. `disagreements` are what the second
    implementation found otherwise; `failures` what jobs and crawls could not do.
    """

    account: TablesAccount
    found: Sequence[TableFound]
    databases: Mapping[str, str]
    raw_tables: Sequence[tuple[str, Sequence[tuple[str, str]], str]]
    runs: Sequence[JobRun]
    crawls: Sequence[Crawl]
    listeners: Sequence[tuple[str, float]] = ()
    minutes: Sequence[tuple[str, float]] = ()
    plotted_day: str = ""
    trending: Mapping[int, Sequence[tuple[str, float]]] = field(default_factory=dict)
    trending_as_of: str = ""
    sessions_by_minute: Sequence[tuple[str, int]] = ()
    disagreements: Sequence[str] = ()
    failures: Sequence[str] = ()

    @property
    def deliveries(self) -> int:
        """Rows of the raw zone."""
        return sum(line.deliveries for line in self.account.lines)

    @property
    def events(self) -> int:
        """Distinct events of the raw zone."""
        return sum(line.events for line in self.account.lines)

    @property
    def rows(self) -> int:
        """Of these, in their table."""
        return sum(line.rows for line in self.account.lines)

    @property
    def refused(self) -> int:
        """Of these, refused by a job."""
        return sum(line.refused.total() for line in self.account.lines)

    @property
    def by_type(self) -> list[TypeTotals]:
        """The account by type."""
        totals = []
        for name in dict.fromkeys(line.type for line in self.account.lines):
            lines = [line for line in self.account.lines if line.type == name]
            days = [line.day for line in lines]
            totals.append(
                TypeTotals(
                    type=name,
                    days=days[0] if len(days) == 1 else f"{len(days)}, {days[0]} to {days[-1]}",
                    deliveries=sum(line.deliveries for line in lines),
                    events=sum(line.events for line in lines),
                    rows=sum(line.rows for line in lines),
                    refused=sum((line.refused for line in lines), Counter()),
                    missing=[name for line in lines for name in line.missing],
                )
            )
        return totals

    @property
    def problems(self) -> list[str]:
        """What makes the rehearsal fail, a sentence each."""
        missing = self.account.missing
        found = [*self.failures, *(f"in no table: {name}" for name in missing[:20])]
        if len(missing) > 20:
            found.append(f"and {len(missing) - 20} more in no table")
        return [*found, *self.account.unexpected[:20], *self.disagreements[:20]]


@dataclass(frozen=True, kw_only=True)
class Findings:
    """All that one rehearsal found.

    `delays_s` are virtual seconds from an event's arrival on the stream to its file in the lake; `per_minute` counts
    arrivals for each virtual minute; `phases` are real seconds. `diagnosis` says where the way of the data ends.
    `tables`, `orchestration` and `reports` are None where Spark was left out, `warehouse` where the stage has none.
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
    tables: TablesFindings | None = None
    warehouse: WarehouseFindings | None = None
    orchestration: OrchestrationFindings | None = None
    reports: ReportsFindings | None = None

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
        found += self.tables.problems if self.tables else []
        found += self.warehouse.problems if self.warehouse else []
        found += self.orchestration.problems if self.orchestration else []
        found += self.reports.problems if self.reports else []
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
