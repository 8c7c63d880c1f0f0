"""Results of the bench of the ingest function as a page; measures nothing."""

from __future__ import annotations

from bench.ingest.contenders import NAMES, OURS
from bench.ingest.results import Cold, Ingest, Rate, targets
from bench.pages import table

_WHAT = """\
One call of the handler after another in one execution environment, each with a batch of messages from SQS, wrapped by
SNS, of distinct shows. The time is from event object in to answer object out: reading messages, the calls of the API
one after the other over one kept connection, checking and making entries, `PutRecords` through `boto3`, logs and
metrics. The catalog's API waits for the latency and then sends a show, 2 KB on average. It runs on loopback in the same
process; what it and the change of threads take counts as time, not as CPU. Kinesis answers at once: in AWS each
batch takes one `PutRecords` longer. Connections, clients and the token are there already.

*Bare calls* asks for the same shows over one kept connection with the same HTTP library and does nothing with the
answers: about the most that asking for one after the other can reach. *CPU* is that of the thread that the function
runs in. The machine's core is not Lambda's: with 512 MiB a function has about a third of one ("Configure Lambda
function memory" page), so that CPU counts about three times there. Calls of the function at once multiply the rate, up
to a stage's `max_concurrency`.
"""
_REPEATS = """\
Each show is announced as many times as the table says; the API answers each call. The function knows a show's repeats
inside a batch alone: a show that a later batch names again has changed since for all that it knows, and is asked for
again.
"""
_START = """\
Through `awslambdaric` on one core, in CPU, over a function that does nothing. *Imports* end with the request for the
first event. The *first call* has one message and holds the import of `boto3`, its three clients, the token and the
first connections; the *next call* is the same again. What a process waits for is left out: reading from the disk, the
network.
"""


def page(results: Ingest) -> str:
    """The page of the results."""
    versions = ", ".join(f"{name} {version}" for name, version in results.versions.items())
    shows = max(one.shows for one in results.rates)
    sections = [
        "# The ingest function, measured",
        f"Written by `make bench ARGS=\"ingest --record\"` on {results.date}. {results.machine}. {versions}. "
        f"Medians of {results.rounds} interleaved rounds (lowest to highest).",
        "## Targets",
        table(
            ("", "wanted", "measured", ""),
            ((one.what, one.wanted, one.measured, "met" if one.met else "**missed**") for one in targets(results)),
        ),
        f"## Shows a second, batches of {shows}",
        table(
            ("API answers in", "", "shows a second", "time to bare calls", "CPU a show"),
            (_rate(one) for one in results.rates),
        ),
        _WHAT.strip(),
        "## Calls of the API",
        table(
            ("messages of a show", "order", "batches", "messages", "shows", "calls", "a distinct show of a batch",
             "a distinct show"),
            (
                (
                    f"{one.messages / one.shows:g}", one.order, str(one.batches), str(one.messages), str(one.shows),
                    str(one.calls), f"{one.per_show_of_a_batch:.2f}", f"{one.per_show:.2f}",
                )
                for one in results.repeats
            ),
        ),
        _REPEATS.strip(),
        *(_start(results.cold) if results.cold else ()),
    ]  # fmt: skip
    return "\n\n".join(sections) + "\n"


def _rate(one: Rate) -> tuple[str, ...]:
    low, high = one.per_s_of_each
    least, most = one.cpu_ms_of_each
    return (
        f"{one.latency_ms:g} ms",
        f"**{NAMES[one.contender]}**" if one.contender == OURS else NAMES[one.contender],
        f"{one.per_s:.1f} ({low:.1f} to {high:.1f})",
        f"{one.to_bare:.2f} ×",
        f"{one.cpu_ms:.2f} ms ({least:.2f} to {most:.2f})",
    )


def _start(cold: Cold) -> tuple[str, ...]:
    low, high = (value * 1e3 for value in cold.cold_s_of_each)
    cells = (f"{value * 1e3:.0f} ms" for value in (cold.import_s, cold.first_s, cold.next_s))
    return (
        f"## Cold start, medians of {cold.starts}",
        table(
            ("imports and first call", "imports", "first call", "next call"),
            ((f"{cold.cold_s * 1e3:.0f} ms ({low:.0f} to {high:.0f})", *cells),),
        ),
        _START.strip(),
    )
