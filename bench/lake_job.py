"""Measures the job that turns raw events into tables, beside others that do the same: `python -m bench lake`.

Each contender is a process of its own on the same cores; rounds are interleaved, so that what else the machine does
meets all of them. It must not be run beside other work.
"""

from __future__ import annotations

import os
import shutil
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from bench import comparison
from bench.comparison import Written
from bench.generation import END, LATE_HOUR, SHARES, START, Made, generate, late_batch
from bench.processes import Measured, measure
from bench.results import Late, Result

OURS, USUAL, DUCKDB, POLARS = "ours", "usual_spark", "duckdb_sql", "polars_frames"
ALL = (OURS, USUAL, DUCKDB, POLARS)
TYPES = tuple(SHARES)
DATABASES = "amp_bench"
Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Bench:
    """Where and on which cores is measured; `say` tells a person how far it is."""

    cache: Path
    cores: tuple[int, ...]
    say: Say

    @property
    def work(self) -> Path:
        """Where contenders write."""
        return self.cache / "work"

    def written(self, name: str) -> Written:
        """Where a contender wrote."""
        return Written(
            name=name,
            folder=self.work / name,
            iceberg=DATABASES if name == OURS else None,
            any_delivery=name == USUAL,
        )

    def size(self, gigabytes: float, contenders: Sequence[str], rounds: int) -> list[Result]:
        """Let the contenders do the same size in turn, so many rounds; the last round's output is compared."""
        made = generate(self.cache, gigabytes)
        runs: dict[str, list[Measured]] = {name: [] for name in contenders}
        for number in range(rounds):
            for name in contenders:
                shutil.rmtree(self.work / name, ignore_errors=True)
                run = self.run(name, made, START, END)
                self.say(
                    f"{gigabytes:g} GB, round {number + 1} of {rounds}: {name} {run.work_s:.1f} s of work after "
                    f"{run.start_s:.1f} s of start-up, {run.cpu_s:.0f} s of CPU, {run.peak_bytes / 2**20:.0f} MB"
                )
                runs[name].append(run)
        return [self._result(made, gigabytes, name, runs[name], contenders[0]) for name in contenders]

    def run(self, name: str, made: Made, start: datetime, end: datetime) -> Measured:
        """One run of a contender over the files that arrived from `start` to `end`."""
        out = self.work / name
        argv = ["-m", f"bench.contenders.{name}", "--raw", made.folder, "--out", str(out)]
        argv += ["--start", start.isoformat(), "--end", end.isoformat(), "--types", ",".join(TYPES)]
        argv += ["--cores", str(len(self.cores))]
        return measure(argv, cores=self.cores, folder=out)

    def late(self, gigabytes: float, grown_by: str) -> Late:
        """Let our job take the late batch into its tables as they are now."""
        rows = sum(comparison.rows(self.written(OURS), table, scratch=self._scratch()) for table in self._tables())
        run = self.run(OURS, late_batch(self.cache), LATE_HOUR, LATE_HOUR + timedelta(hours=1))
        tables = run.told["tables"].values()
        found = Late(
            gigabytes=gigabytes,
            grown_by=grown_by,
            rows_before=rows,
            rows_added=sum(table["rows_added"] for table in tables),
            work_s=run.work_s,
            cpu_s=run.cpu_s,
            bytes_read=run.told["bytes_read"],
            bytes_written=run.told["bytes_written"],
            files_added=sum(table["files_added"] for table in tables),
            files_removed=sum(table["files_removed"] for table in tables),
        )
        self.say(f"late rows into {gigabytes:g} GB ({grown_by}): {found.work_s:.1f} s, {found.bytes_read:,} bytes read")
        return found

    def lengthen(self, first: int, last: int) -> None:
        """Give our tables copies of their rows further in the past, numbered `first` to `last`."""
        names = ",".join(f"{DATABASES}_{table.replace('/', '.')}" for table in self._tables())
        argv = ["-m", "bench.contenders.history", "--out", str(self.work / OURS), "--tables", names]
        argv += ["--from-copy", str(first), "--to-copy", str(last), "--cores", str(len(self.cores))]
        measure(argv, cores=self.cores, folder=self.work / OURS)

    def keep(self, name: str) -> Path:
        """Put our tables aside under a name, for `restore`."""
        kept = self.work / name
        shutil.rmtree(kept, ignore_errors=True)
        shutil.copytree(self.work / OURS, kept)
        return kept

    def restore(self, kept: Path) -> None:
        """Our tables as they were put aside; Iceberg's paths are absolute, so they go back to where they were."""
        shutil.rmtree(self.work / OURS, ignore_errors=True)
        shutil.move(kept, self.work / OURS)

    def _result(self, made: Made, gigabytes: float, name: str, runs: Sequence[Measured], reference: str) -> Result:
        files = comparison.files(self.written(name), TYPES, scratch=self._scratch())
        differing = 0
        if name != reference:
            found = comparison.rows_that_differ(
                self.written(reference), self.written(name), TYPES, scratch=self._scratch()
            )
            differing = sum(found.values())
            self.say(f"{gigabytes:g} GB: {name} against {reference}: {differing} rows differ")

        def middle(of: Callable[[Measured], float]) -> float:
            return statistics.median(of(run) for run in runs)

        return Result(
            gigabytes=gigabytes,
            contender=name,
            rounds=len(runs),
            rows_in=made.rows,
            rows_out=sum(
                comparison.rows(self.written(name), table, scratch=self._scratch()) for table in self._tables()
            ),
            rows_that_differ=differing,
            start_s=middle(lambda run: run.start_s),
            work_s=middle(lambda run: run.work_s),
            work_s_of_each=[run.work_s for run in runs],
            wall_s=middle(lambda run: run.wall_s),
            cpu_s=middle(lambda run: run.cpu_s),
            peak_bytes=round(middle(lambda run: run.peak_bytes)),
            files=files.files,
            most_files_in_a_partition=files.most_in_a_partition,
            largest_file_bytes=files.largest_bytes,
            bytes_out=files.bytes,
        )

    def _tables(self) -> tuple[str, ...]:
        return comparison.tables(TYPES)

    def _scratch(self) -> Path:
        return self.work / "scratch"


def cores(wanted: int) -> tuple[int, ...]:
    """The first cores that this process may use.

    Raises:
        ValueError: it may use fewer.
    """
    allowed = sorted(os.sched_getaffinity(0))
    if len(allowed) < wanted:
        raise ValueError(f"--cores {wanted}: this process may use {len(allowed)}; give at most as many")
    return tuple(allowed[:wanted])
