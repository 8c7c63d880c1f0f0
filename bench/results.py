"""Results of the bench of the lake job: what they hold and which targets they reach; measures nothing."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

MB = 1_000_000
OF_USUAL, OF_DUCKDB = 0.65, 4.0
"""Our work at most, as a share of the usual Spark form's and as a multiple of DuckDB's."""
LARGEST_FILE_BYTES = 128 * 2**20
LATE_GROWTH = 1.5
"""How much longer the same late batch may take, and how much more it may read, where the history alone is longer."""


@dataclass(frozen=True, kw_only=True)
class Result:
    """One contender at one size: medians over the rounds; see processes.Measured and comparison.Files."""

    gigabytes: float
    contender: str
    rounds: int
    rows_in: int
    rows_out: int
    rows_that_differ: int
    start_s: float
    work_s: float
    work_s_of_each: list[float]
    wall_s: float
    cpu_s: float
    peak_bytes: int
    files: int
    most_files_in_a_partition: int
    largest_file_bytes: int
    bytes_out: int


@dataclass(frozen=True, kw_only=True)
class Late:
    """The late batch into tables of some size. `grown_by`: whether their days are busier or their history longer."""

    gigabytes: float
    grown_by: str
    rows_before: int
    rows_added: int
    work_s: float
    cpu_s: float
    bytes_read: int
    bytes_written: int
    files_added: int
    files_removed: int


BUSIER, LONGER = "busier days", "longer history"


@dataclass(frozen=True, kw_only=True)
class Results:
    """One run of the bench. `at` is the size at which contenders are compared, in GB."""

    date: str
    machine: str
    versions: dict[str, str]
    at: float
    results: list[Result]
    late: list[Late]

    def of(self, contender: str, gigabytes: float) -> Result | None:
        """A contender's result at a size."""
        return next((one for one in self.results if (one.contender, one.gigabytes) == (contender, gigabytes)), None)


def from_json(held: Any | None) -> Results | None:
    """The results of what JSON held of them, or None for None."""
    if held is None:
        return None
    held["results"] = [Result(**one) for one in held["results"]]
    held["late"] = [Late(**one) for one in held["late"]]
    return Results(**held)


@dataclass(frozen=True, kw_only=True)
class Target:
    """What should hold, what was measured, and whether it holds."""

    what: str
    wanted: str
    measured: str
    met: bool


def changed_targets(now: Iterable[Target], before: Iterable[Target]) -> Iterator[str]:
    """The targets that are met now and were not, or the other way round, a line each."""
    was = {target.what: target for target in before}
    for target in now:
        if target.what in was and was[target.what].met != target.met:
            judged = "met" if target.met else "MISSED"
            yield f"{target.what}: {target.measured}, was {was[target.what].measured}: now {judged}"


def targets(results: Results) -> Iterator[Target]:
    """The targets that can be judged by these results."""
    ours = results.of("ours", results.at)
    for other, most in (("usual_spark", OF_USUAL), ("duckdb_sql", OF_DUCKDB)):
        theirs = results.of(other, results.at)
        if ours and theirs:
            ratio = ours.work_s / theirs.work_s
            yield Target(
                what=f"work of ours / {other} at {results.at:g} GB",
                wanted=f"at most {most:g}",
                measured=f"{ratio:.2f}",
                met=ratio <= most,
            )
    compared = [one for one in results.results if one.contender != "ours"]
    differing = sum(one.rows_that_differ for one in compared)
    if compared:
        yield Target(
            what="rows that differ between ours and any other",
            wanted="0",
            measured=str(differing),
            met=not differing,
        )
    yield from _growth(results)
    mine = [one for one in results.results if one.contender == "ours"]
    if mine:
        most_files = max(one.most_files_in_a_partition for one in mine)
        largest = max(one.largest_file_bytes for one in mine)
        yield Target(what="files of a partition", wanted="at most 1", measured=str(most_files), met=most_files <= 1)
        yield Target(
            what="bytes of a file",
            wanted="at most 128 MB",
            measured=f"{largest / 2**20:.0f} MB",
            met=largest <= LARGEST_FILE_BYTES,
        )
    yield from _late_growth(results)


def _growth(results: Results) -> Iterator[Target]:
    mine = sorted((one for one in results.results if one.contender == "ours"), key=lambda one: one.gigabytes)
    for small, large in itertools.pairwise(mine):
        times = large.gigabytes / small.gigabytes
        growth = large.work_s / small.work_s
        yield Target(
            what=f"growth of our work from {small.gigabytes:g} to {large.gigabytes:g} GB",
            wanted=f"at most {times:.1f} ×",
            measured=f"{growth:.1f} ×",
            met=growth <= times,
        )


def _late_growth(results: Results) -> Iterator[Target]:
    longer = sorted((one for one in results.late if one.grown_by == LONGER), key=lambda one: one.gigabytes)
    if len(longer) < 2:
        return
    first, last = longer[0], longer[-1]
    for what, growth in (
        ("time", last.work_s / first.work_s),
        ("bytes read", last.bytes_read / first.bytes_read),
    ):
        yield Target(
            what=f"{what} of the same late rows where the history holds {last.gigabytes:g}, not {first.gigabytes:g} GB",
            wanted=f"at most {LATE_GROWTH:g} ×",
            measured=f"{growth:.2f} ×",
            met=growth <= LATE_GROWTH,
        )
