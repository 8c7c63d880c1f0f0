"""`python -m bench ingest …` measures the ingest function and holds it against its targets."""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import statistics
from collections.abc import Sequence
from datetime import UTC, datetime

from bench import runtime
from bench.arguments import at_least_one
from bench.ingest.batches import batch, shows
from bench.ingest.contenders import HANDLER, OURS, contenders
from bench.ingest.page import page
from bench.ingest.results import Cold, Ingest, changes, from_json, targets
from bench.ingest.services import Services
from bench.ingest.speed import rates, repeats
from bench.pages import processor
from bench.record import recorded, tell
from config.model import ShowCatalog

PART = "ingest"
REPEATS = ((1, False), (2, False), (5, False), (5, True))
"""How often each show is announced, and whether its announcements follow each other."""
_BARE = "bench.bare.handler"
_PACKAGES = ("boto3", "urllib3", "aws-lambda-powertools", "awslambdaric")


def main(argv: Sequence[str]) -> int:
    """Follow a command line. Exit status: 0 whatever was measured, or 1 with --strict when a target is missed."""
    given = _parser().parse_args(argv)
    known = shows(given.batch * 4)
    show_ids = [show["id"] for show in known]
    with Services(known) as services:
        with contenders(services) as both:
            print(f"{given.rounds} rounds at {', '.join(f'{one:g}' for one in given.latencies)} ms …", flush=True)
            rated = rates(both, services, show_ids[: given.batch], given.latencies, given.rounds)
            repeated = [
                repeats(both[OURS], services, show_ids, times=times, messages=given.batch, in_bursts=in_bursts)
                for times, in_bursts in REPEATS
            ]
        cold = None if given.no_runtime else _cold(services, show_ids[0], given.starts)
    results = Ingest(
        date=f"{datetime.now(UTC):%Y-%m-%d}",
        machine=processor(),
        versions={
            "Python": platform.python_version(),
            **{name: importlib.metadata.version(name) for name in _PACKAGES},
        },
        rounds=given.rounds,
        rates=rated,
        repeats=repeated,
        cold=cold,
    )
    tell(PART, results.as_json(), page(results), changes(results, from_json(recorded(PART))), keep=given.record)
    return 1 if given.strict and any(not target.met for target in targets(results)) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench ingest",
        description="The ingest function: shows a second at given latencies of the catalog's API, its calls of the "
        "API, and its cold start. Run it with nothing else beside it.",
    )
    add = parser.add_argument
    add(
        "--latencies",
        type=_latencies,
        default=(5.0, 20.0, 100.0),
        help="milliseconds that the API takes for an answer, with commas between (default: 5,20,100)",
    )
    add("--rounds", type=at_least_one, default=7, help="interleaved rounds (default: 7)")
    add(
        "--batch",
        type=at_least_one,
        default=ShowCatalog.batch_size,
        help=f"messages of a batch (default: {ShowCatalog.batch_size}, which stages have by default)",
    )
    add("--starts", type=at_least_one, default=5, help="starts through the runtime client (default: 5)")
    add("--no-runtime", action="store_true", help="leave the starts through the runtime client out")
    add("--record", action="store_true", help="keep the results in bench/RESULTS.md and bench/results.json")
    add("--strict", action="store_true", help="exit with 1 when a target is missed")
    return parser


def _latencies(text: str) -> tuple[float, ...]:
    latencies = tuple(sorted({float(part) for part in text.split(",")}))
    if not all(0 <= latency <= 4_000 for latency in latencies):
        # The function gives an answer up after 5 s.
        raise argparse.ArgumentTypeError(f"{text}: latencies are ms between 0 and 4000, with commas between")
    return latencies


def _cold(services: Services, show_id: str, starts: int) -> Cold:
    print(f"{starts} starts through the runtime client …", flush=True)
    payloads = [json.dumps(batch([show_id])).encode()] * 3
    core = max(os.sched_getaffinity(0))
    ours, bare = [], []
    for number in range(starts + 1):
        one = runtime.run(f"{HANDLER}.handler", payloads, core=core, environment=services.environment())
        nothing = runtime.run(_BARE, payloads, core=core)
        if number:  # the first start may have to compile
            ours.append(one)
            bare.append(nothing)
    pairs = list(zip(ours, bare, strict=True))
    cold = [one.cold_s - nothing.cold_s for one, nothing in pairs]
    return Cold(
        starts=starts,
        cold_s=statistics.median(cold),
        cold_s_of_each=[min(cold), max(cold)],
        import_s=statistics.median(one.import_s - nothing.import_s for one, nothing in pairs),
        first_s=statistics.median(one.call_s[0] - nothing.call_s[0] for one, nothing in pairs),
        next_s=statistics.median(one.call_s[-1] - nothing.call_s[-1] for one, nothing in pairs),
    )
