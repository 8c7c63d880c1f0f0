"""Results of the bench of the lake job as a page, and what changed since they were recorded; measures nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bench.pages import table
from bench.results import MB, Result, Results, changed_targets, targets

NAMES = {
    "ours": "the platform's job",
    "usual_spark": "Spark, usual form",
    "duckdb_sql": "DuckDB",
    "polars_frames": "Polars",
}
SLOWER, FASTER = 1.1, 0.9
"""Changes between these are taken for chance."""

_WHAT_IS_MEASURED = """\
From gzip JSON as the stream lands it (four types of event, 72 hours of arrival, 2 % delivered twice, 2 % up to three
days late) to one table for each type and one of what is personal, by day, each event once, persons as keys
(HMAC-SHA-256). One run is a process of its own on the cores named above. *Start-up* is what passes before the work
begins: the interpreter, imports, the Spark session. *CPU* is that of the whole process and all that it starts, start-up
too. Peak memory is what they held at once; both Spark contenders may use 7.2 GB of heap, which is what the platform
plans for two cores, and take what they may. Both run with Java's parallel collector and an optimising compiler that is
slower to begin, which makes both faster: a job of a minute is over before all that it compiles has paid.

What each does beside that:

- **The platform's job** writes Iceberg tables: what is refused is counted, keys are checked to be there once, each
  table is written to a branch that readers see when all holds, and a run record is kept.
- **Spark, usual form** reads, filters, `dropDuplicates`, `repartition(day)`, `partitionBy(day)`, with default settings
  of SQL: one shuffle for the repeats and one for the write. Of an event delivered twice it keeps either delivery, so
  when and where it arrived is left out where rows are compared.
- **DuckDB** and **Polars** keep the first delivery, like ours. Polars has no maps and writes lists of pairs.

None of these three counts, checks or publishes: a reader may see half of a day.
"""
_LATE = """\
The same batch that arrives an hour after the rest; all of its events happened on the three days before. *Busier days*:
the table is larger because more happened on the days that the batch touches, and their keys are read to tell repeats
from new rows. *Longer history*: the days that it touches hold the same, and more days lie before them.
"""


def page(results: Results) -> str:
    """The page of the results."""
    sections = [
        "# The lake job, measured",
        f"Written by `make bench ARGS=--record` on {results.date}. {results.machine}. "
        + ", ".join(f"{name} {version}" for name, version in results.versions.items())
        + ".",
        "## Targets",
        table(
            ("", "wanted", "measured", ""),
            ((one.what, one.wanted, one.measured, "met" if one.met else "**missed**") for one in targets(results)),
        ),
        *(_size(results, gigabytes) for gigabytes in _sizes(results)),
        "## What is measured",
        _WHAT_IS_MEASURED.strip(),
        "## Late rows",
        _LATE.strip(),
        table(
            ("table", "grown by", "rows", "added", "work", "CPU", "read", "written", "files added", "removed"),
            (
                (
                    f"{one.gigabytes:g} GB", one.grown_by, f"{one.rows_before:,}", f"{one.rows_added:,}",
                    f"{one.work_s:.1f} s", f"{one.cpu_s:.0f} s", _mb(one.bytes_read), _mb(one.bytes_written),
                    str(one.files_added), str(one.files_removed),
                )
                for one in results.late
            ),
        ),
    ]  # fmt: skip
    return "\n\n".join(sections) + "\n"


def changes(now: Results, recorded: Results | None) -> list[str]:
    """How these results differ from the recorded ones, a line for each that both have."""
    if recorded is None:
        return ["nothing is recorded yet; record these with --record"]
    if now.machine != recorded.machine:
        note = f"recorded on another machine ({recorded.machine}): compare ratios, not seconds"
        return [note, *_changes(now, recorded)]
    return list(_changes(now, recorded))


def _changes(now: Results, recorded: Results) -> Iterator[str]:
    for one in now.results:
        before = recorded.of(one.contender, one.gigabytes)
        if before is not None:
            yield _change(f"{NAMES[one.contender]} at {one.gigabytes:g} GB", one.work_s, before.work_s)
    for late in now.late:
        for known in recorded.late:
            if (known.gigabytes, known.grown_by) == (late.gigabytes, late.grown_by):
                yield _change(f"late rows into {late.gigabytes:g} GB, {late.grown_by}", late.work_s, known.work_s)
    yield from changed_targets(targets(now), targets(recorded))


def _change(what: str, now_s: float, before_s: float) -> str:
    ratio = now_s / before_s
    judged = "SLOWER" if ratio > SLOWER else "faster" if ratio < FASTER else "as recorded"
    return f"{what}: {now_s:.1f} s, recorded {before_s:.1f} s ({ratio - 1:+.0%}, {judged})"


def _sizes(results: Results) -> list[float]:
    return sorted({one.gigabytes for one in results.results})


def _size(results: Results, gigabytes: float) -> str:
    found = [one for one in results.results if one.gigabytes == gigabytes]
    ours = results.of("ours", gigabytes)
    first = found[0]
    title = f"## {gigabytes:g} GB of JSON: {first.rows_in:,} rows, medians of {first.rounds}"
    return f"{title}\n\n" + table(
        ("", "work", "ours to it", "start-up", "whole", "CPU", "peak memory", "files", "most in a partition",
         "largest", "all files", "rows that differ"),
        (_row(one, ours) for one in found),
    )  # fmt: skip


def _row(one: Result, ours: Result | None) -> Sequence[str]:
    spread = f" ({min(one.work_s_of_each):.1f} to {max(one.work_s_of_each):.1f})" if one.rounds > 1 else ""
    return (
        NAMES[one.contender],
        f"{one.work_s:.1f} s{spread}",
        f"{ours.work_s / one.work_s:.2f}" if ours else "",
        f"{one.start_s:.1f} s",
        f"{one.wall_s:.1f} s",
        f"{one.cpu_s:.0f} s",
        _mb(one.peak_bytes),
        str(one.files),
        str(one.most_files_in_a_partition),
        _mb(one.largest_file_bytes),
        _mb(one.bytes_out),
        str(one.rows_that_differ) if one.contender != "ours" else "",
    )


def _mb(size: int) -> str:
    return f"{size / MB:,.1f} MB" if size < 10 * MB else f"{size / MB:,.0f} MB"
