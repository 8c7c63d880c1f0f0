"""`python -m bench flatten …` measures the flattening function beside others and holds it against its targets."""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import runtime
from bench.flatten import families
from bench.flatten.agreement import REAL, compare
from bench.flatten.contenders import ALL, FLATTENING, FLOOR, OURS, Transform, contender
from bench.flatten.families import FAMILIES, KINDS, KNOWN, WIDER
from bench.flatten.page import page
from bench.flatten.results import Called, Flatten, Speed, changes, from_json, targets
from bench.flatten.speed import interleaved
from bench.pages import processor
from bench.record import recorded, tell
from bench.runtime import quietly

PART = "flatten"
HANDLERS = {OURS: "lambdas.flatten_events.handler.handler", FLOOR: f"bench.flatten.functions.{FLOOR}"}
REQUEST_BYTES = 6_000_000
_PACKAGES = ("orjson", "msgspec", "pybase64", "json-tools-rs", "flatten_json", "aws-lambda-powertools", "awslambdaric")


def main(argv: Sequence[str]) -> int:
    """Follow a command line. Exit status: 0 whatever was measured, 1 when values differ or, with --strict, a miss."""
    given = _parser().parse_args(argv)
    allowed = os.sched_getaffinity(0)
    core = given.core if given.core is not None else max(allowed)
    os.sched_setaffinity(0, {core})
    transforms = {name: contender(name) for name in ALL}
    agreement = _agreement(transforms)
    speeds, response_to_request = _speeds(transforms, given)
    # The process that serves the Runtime API may use any core, the function's process only the one.
    os.sched_setaffinity(0, allowed)
    called = [] if given.no_runtime else [_called(name, given.calls, core) for name in ALL]
    results = Flatten(
        date=f"{datetime.now(UTC):%Y-%m-%d}",
        machine=f"{processor()}, one core",
        versions={"Python": platform.python_version(), **{name: _version(name) for name in _PACKAGES}},
        rounds=given.rounds,
        speeds=speeds,
        called=called,
        response_to_request=response_to_request,
        agreement=agreement,
    )
    tell(PART, results.as_json(), page(results), changes(results, from_json(recorded(PART))), keep=given.record)
    differ = any(found.get(real) for found in agreement.values() for real in REAL)
    missed = any(not target.met for target in targets(results))
    return 1 if differ or (given.strict and missed) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench flatten",
        description="The whole transformation of Firehose's requests, beside libraries and the usual ways to write it.",
    )
    add = parser.add_argument
    add("--rounds", type=int, default=15, help="interleaved rounds (default: 15)")
    add("--events", type=int, default=300, help="events of a request (default: 300)")
    add("--calls", type=int, default=5, help="calls and starts through the runtime client (default: 5)")
    add("--file", type=Path, help="a file of JSON lines to measure too")
    add("--core", type=int, help="the core to use (default: the last one)")
    add("--no-runtime", action="store_true", help="leave the calls through the runtime client out")
    add("--record", action="store_true", help="keep the results in bench/RESULTS.md and bench/results.json")
    add("--strict", action="store_true", help="exit with 1 when a target is missed")
    return parser


def _agreement(transforms: Mapping[str, Transform]) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for name in FLATTENING:
        counts: Counter[str] = Counter()
        for family in FAMILIES:
            for kind in KINDS:
                request = families.request(families.lines(family, kind, 50))
                counts += compare(transforms[OURS], transforms[name], request)
        found[name] = dict(counts)
    return found


def _speeds(transforms: Mapping[str, Transform], given: argparse.Namespace) -> tuple[list[Speed], float]:
    speeds, largest = [], 0.0
    for kind in KINDS:
        requests = {family: families.lines(family, kind, given.events) for family in FAMILIES}
        requests["all"] = [line for lines in zip(*requests.values(), strict=True) for line in lines]
        for family, lines in requests.items():
            speeds += _measured(transforms, kind, family, lines, given.rounds)
            if kind != WIDER:
                largest = max(largest, _response_to_request(transforms[OURS], lines))
    if given.file:
        speeds += _measured(transforms, "own", given.file.name, families.lines_of(given.file), given.rounds)
    return speeds, largest


def _measured(
    transforms: Mapping[str, Transform], kind: str, family: str, lines: list[bytes], rounds: int
) -> list[Speed]:
    print(f"{kind} {family} …", flush=True)
    size = round(statistics.mean(map(len, lines)))
    timed = interleaved(transforms, families.request(lines), rounds)
    return [Speed(kind=kind, family=family, bytes=size, contender=name, **one) for name, one in timed.items()]


def _response_to_request(transform: Transform, lines: list[bytes]) -> float:
    request = families.request(lines)
    with quietly():
        return len(_json(transform(request))) / len(_json(request))


def _called(name: str, calls: int, core: int) -> Called:
    print(f"{name} through the runtime client …", flush=True)
    handler = HANDLERS.get(name, f"bench.flatten.functions.{name}")
    small = _json(families.request(families.lines("click", KNOWN, 1)))
    starts = [
        runtime.run(handler, [small], core=core).cold_s - runtime.run("bench.bare.handler", [small], core=core).cold_s
        for _ in range(calls)
    ]
    middle = _json(families.request(families.lines("chat", KNOWN, 700)))
    measured = runtime.run(handler, [middle] * (calls + 1), core=core)
    large = _large()
    extra = (
        runtime.run(handler, [large], core=core).peak_bytes
        - runtime.run("bench.bare.handler", [small], core=core).peak_bytes
    )
    return Called(
        contender=name,
        request_bytes=len(middle),
        response_bytes=measured.response_bytes,
        call_s=statistics.median(measured.call_s[1:]),
        cold_s=statistics.median(starts),
        extra_bytes=extra,
    )


def _large() -> bytes:
    """A request of about 6 MB, the most that Lambda takes; what the response has no room for has no stream to go to."""
    lines = families.lines("click", KNOWN, 5_000)
    size = len(_json(families.request(lines))) / len(lines)
    return _json({**families.request(lines[: int(REQUEST_BYTES / size)]), "sourceKinesisStreamArn": ""})


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _version(package: str) -> str:
    return importlib.metadata.version(package)
