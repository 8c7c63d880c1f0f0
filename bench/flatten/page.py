"""Results of the bench of the flattening function as a page; measures nothing."""

from __future__ import annotations

from collections.abc import Mapping

from bench.flatten.contenders import NAMES, OURS
from bench.flatten.results import Flatten, Speed, targets
from bench.pages import table

_WHAT = """\
CPU time of one process on one core. An event goes in as Firehose sends it, base64 in a request, and comes out as the
response has it; a round calls each contender once with the same request. `known` events keep their contract; `wider`
ones hold about 300 bytes that it does not know; `unknown` ones are of undeclared types. Keys stand in six orders. Texts
are compact JSON in UTF-8. What of this is realistic is an assumption.

Ours checks the contract, keeps and counts what it does not know, refuses keys that are there twice, isolates each
record, keeps the response below its limit, and says where each record goes. No other does any of that.

*Through the runtime client*: the same through `awslambdaric`, request bytes in, response bytes out; the runtime reads
and writes JSON by itself. *Start* is what the process computes until its first answer, *memory* the most that it held,
both over those of a function that does nothing.
"""


def page(results: Flatten) -> str:
    """The page of the results."""
    versions = ", ".join(f"{name} {version}" for name, version in results.versions.items())
    sections = [
        "# The flattening function, measured",
        f"Written by `make bench ARGS=\"flatten --record\"` on {results.date}. {results.machine}. {versions}. "
        f"Medians of {results.rounds} interleaved rounds.",
        "## Targets",
        table(
            ("", "wanted", "measured", ""),
            ((one.what, one.wanted, one.measured, "met" if one.met else "**missed**") for one in targets(results)),
        ),
        "## What is measured",
        _WHAT.strip(),
        *(_kind(results, kind) for kind in dict.fromkeys(one.kind for one in results.speeds)),
        "## Through the runtime client",
        table(
            ("", "request", "response", "CPU", "start", "memory"),
            (
                (
                    NAMES[one.contender], f"{one.request_bytes / 1e6:.2f} MB", f"{one.response_bytes / 1e6:.2f} MB",
                    f"{one.call_s * 1e3:.0f} ms", f"{one.cold_s * 1e3:+.0f} ms", f"{one.extra_bytes / 2**20:+.0f} MiB",
                )
                for one in results.called
            ),
        ),
        "## Agreement",
        "Values that each lands against ours, for known and wider events, and why they are not alike.",
        table(
            ("", "agree", "not alike"),
            ((NAMES[name], str(found.get("agree", 0)), _reasons(found)) for name, found in results.agreement.items()),
        ),
    ]  # fmt: skip
    return "\n\n".join(sections) + "\n"


def _reasons(found: Mapping[str, int]) -> str:
    return "; ".join(f"{why}: {count}" for why, count in found.items() if why != "agree")


def _kind(results: Flatten, kind: str) -> str:
    found = [one for one in results.speeds if one.kind == kind]
    families = list(dict.fromkeys(one.family for one in found))
    head = ["", *(f"{family}, {next(one.bytes for one in found if one.family == family):,} B" for family in families)]
    rows = []
    for name in dict.fromkeys(one.contender for one in found):
        cells = [next(one for one in found if (one.contender, one.family) == (name, family)) for family in families]
        rows.append([NAMES[name], *(_cell(one) for one in cells)])
    return f"## Microseconds an event (span), times the floor: {kind}\n\n" + table(head, rows)


def _cell(one: Speed) -> str:
    low, high = one.us_of_each
    text = f"{one.us:.1f} ({low:.1f} to {high:.1f}), {one.to_floor:.2f} ×"
    return f"**{text}**" if one.contender == OURS else text
