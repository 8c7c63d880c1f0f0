"""`python -m bench [lake] …` measures the lake job beside others and holds it against its targets.

`flatten` and `ingest` are the functions' benches, `plan` is that of the warehouse's planning: see `bench/flatten`,
`bench/ingest` and `bench/planning.py`.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import platform
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from bench.lake_job import ALL, DUCKDB, OURS, Bench, cores
from bench.pages import processor
from bench.record import recorded, tell
from bench.report import changes, page
from bench.results import BUSIER, LONGER, Late, Result, Results, from_json, targets
from rehearsal.engine.spark.java import java_home

PART = "lake"
CACHE = Path(__file__).parent.parent / ".cache" / "bench"


def main(argv: Sequence[str]) -> int:
    """Follow a command line. Exit status: 0 whatever was measured, 1 when rows differ or, with --strict, a miss."""
    if argv[:1] == ["flatten"]:
        from bench.flatten.__main__ import main as flatten  # its packages are not the lake's

        return flatten(argv[1:])
    if argv[:1] == ["ingest"]:
        from bench.ingest.__main__ import main as ingest

        return ingest(argv[1:])
    if argv[:1] == ["plan"]:
        from bench.planning import main as planning

        return planning(argv[1:])
    given = _parser().parse_args(argv)
    bench = Bench(cache=given.cache, cores=cores(given.cores), say=lambda text: print(text, flush=True))
    results = _measure(bench, given)
    tell(PART, asdict(results), page(results), changes(results, from_json(recorded(PART))), keep=given.record)
    missed = [target.what for target in targets(results) if not target.met]
    return 1 if any(one.rows_that_differ for one in results.results) or (given.strict and missed) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="From gzip JSON events to the lake's tables: the platform's job beside the usual Spark form, "
        "DuckDB and Polars. Run it with nothing else beside it.",
    )
    add = parser.add_argument
    add(
        "what",
        nargs="?",
        choices=["lake"],
        default="lake",
        help="what is measured (lake, the job of raw events); the others have options of their own: "
        "flatten --help, ingest --help, plan --help",
    )
    add("--gigabytes", type=float, default=1.0, help="size at which all contenders are compared (default: 1)")
    add("--sizes", type=_sizes, default=(0.1, 1.0, 4.0), help="sizes at which growth is measured (default: 0.1,1,4)")
    add("--rounds", type=int, default=3, help="rounds up to --gigabytes; beyond it there is one (default: 3)")
    add("--cores", type=int, default=2, help="cores that each contender may use (default: 2)")
    add("--no-late", action="store_true", help="leave the measurement of late rows out")
    add("--record", action="store_true", help="keep the results in bench/RESULTS.md and bench/results.json")
    add("--strict", action="store_true", help="exit with 1 when a target is missed")
    add("--cache", type=Path, default=CACHE, help="folder of generated events and of what contenders write")
    return parser


def _sizes(text: str) -> tuple[float, ...]:
    sizes = tuple(sorted({float(part) for part in text.split(",")}))
    if not all(0.001 <= size <= 100 for size in sizes):
        raise argparse.ArgumentTypeError(f"{text}: sizes are GB between 0.001 and 100, with commas between")
    return sizes


def _measure(bench: Bench, given: argparse.Namespace) -> Results:
    results: list[Result] = []
    late: list[Late] = []
    sizes = sorted({*given.sizes, given.gigabytes})
    kept = None
    for gigabytes in sizes:
        # All contenders up to the size of the comparison; beyond, ours and the fastest show how cost grows.
        beyond = gigabytes > given.gigabytes
        names, rounds = ((OURS, DUCKDB), 1) if beyond else (ALL, given.rounds)
        results += bench.size(gigabytes, names, rounds)
        if not given.no_late:
            if kept is None:
                kept = bench.keep("smallest")
            late.append(bench.late(gigabytes, BUSIER))
    if kept is not None:
        late += _longer(bench, kept, sizes)
    shutil.rmtree(bench.work)
    return Results(
        date=f"{datetime.now(UTC):%Y-%m-%d}",
        machine=f"{processor()}, {len(bench.cores)} cores of {platform.machine()}",
        versions=_versions(),
        at=given.gigabytes,
        results=results,
        late=late,
    )


def _longer(bench: Bench, kept: Path, sizes: Sequence[float]) -> list[Late]:
    """The late batch into tables of each size whose last days hold what the smallest holds."""
    late = []
    smallest, copies = sizes[0], 0
    for gigabytes in sizes:
        bench.restore(kept)
        wanted = round(gigabytes / smallest) - 1
        if wanted > copies:
            bench.lengthen(copies + 1, wanted)
            copies = wanted
        kept = bench.keep("smallest")
        late.append(bench.late(gigabytes, LONGER))
    return late


def _versions() -> dict[str, str]:
    program = str(java_home() / "bin" / "java")
    java = subprocess.run([program, "-version"], capture_output=True, text=True, check=False)  # noqa: S603
    found = {name: importlib.metadata.version(name) for name in ("pyspark", "duckdb", "polars")}
    return {"Python": platform.python_version(), **found, "Java": java.stderr.partition('"')[2].partition('"')[0]}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
