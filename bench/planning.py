"""`python -m bench plan` measures how long a warehouse's configuration is planned and how few statements it takes.

What is planned: 200 users, 50 schemas and 1,000 grants on tables, from the items of a declaration to the statements.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from bench.arguments import at_least_one
from bench.pages import processor, table
from bench.record import recorded, tell
from bench.results import Target, changed_targets
from contracts.warehouse.declaration import declaration_of
from contracts.warehouse.secrets import ALTERNATING_USERS, SINGLE_USER
from lambdas.configure_warehouse.facts import Fact, Kind, Wanted, wanted
from lambdas.configure_warehouse.planning import Plan, in_order, plan
from lambdas.configure_warehouse.statements import batches

PART = "plan"
PLANNED_S = 2.0
"""From items to statements, at most."""
SCHEMAS, ROLES, USERS = 50, 20, 200
_WHAT = """\
From a declaration's items to statements in transactions, in one process, with nothing asked of any service: reading and
checking the items, working out what must be so, comparing it with what is, writing SQL. *A statement a right* is what
it takes to run one statement for each thing that changes, which is the usual form.
"""


@dataclass(frozen=True, kw_only=True)
class Planned:
    """One state of the warehouse: the median time to plan it over the rounds, with the lowest and the highest."""

    state: str
    changes: int
    statements: int
    transactions: int
    seconds: float
    seconds_of_each: list[float]


@dataclass(frozen=True, kw_only=True)
class Planning:
    """What was measured."""

    date: str
    machine: str
    python: str
    rounds: int
    grants: int
    planned: list[Planned]

    @classmethod
    def of(cls, held: Any | None) -> Planning | None:
        """Those of JSON, or None when none are recorded."""
        return held and cls(**{**held, "planned": [Planned(**one) for one in held["planned"]]})


def main(argv: Sequence[str]) -> int:
    """Follow a command line. Exit status: 0 whatever was measured, or 1 with --strict when a target is missed."""
    given = _parser().parse_args(argv)
    results = measure(given.rounds)
    before = Planning.of(recorded(PART))
    changes = changed_targets(targets(results), targets(before)) if before else ["nothing is recorded"]
    tell(PART, asdict(results), page(results), changes, keep=given.record)
    return 1 if given.strict and any(not target.met for target in targets(results)) else 0


def measure(rounds: int) -> Planning:
    """Plan three states in turn, as often as told: nothing is there, all is there, and a tenth was undone by hand."""
    facts = in_order(_wanted().facts)
    states: dict[str, tuple[Collection[Fact], Collection[Fact], bool]] = {
        "nothing is there": ((), (), False),
        "all is there": (facts, facts, False),
        "a tenth was undone by hand": (facts, [fact for number, fact in enumerate(facts) if number % 10], True),
    }
    took: dict[str, list[float]] = {state: [] for state in states}
    made: dict[str, tuple[Plan, int, int]] = {}
    for _ in range(rounds):
        for state, (applied, actual, repair) in states.items():
            begun = time.perf_counter()
            needed = _wanted()
            planned = plan(needed, applied=applied, actual=actual, repair=repair)
            written = batches(planned)
            took[state].append(time.perf_counter() - begun)
            made[state] = planned, sum(map(len, written)), len(written)
    return Planning(
        date=f"{datetime.now(UTC):%Y-%m-%d}",
        machine=processor(),
        python=platform.python_version(),
        rounds=rounds,
        grants=sum(fact.kind is Kind.TABLE_GRANT for fact in facts),
        planned=[
            Planned(
                state=state,
                changes=sum(fact.kind is not Kind.SECRET for fact in planned.create),
                statements=statements,
                transactions=transactions,
                seconds=statistics.median(took[state]),
                seconds_of_each=[min(took[state]), max(took[state])],
            )
            for state, (planned, statements, transactions) in made.items()
        ],
    )


def items() -> dict[str, dict[str, Any]]:
    """The items of the declaration, by key."""
    grants = [{"schema": f"s{number}", "table": "*", "privileges": ["select"]} for number in range(SCHEMAS)]
    return {
        **{f"schemas.s{number}": {"format": 1} for number in range(SCHEMAS)},
        **{f"roles.r{number}": {"format": 1, "grants": grants} for number in range(ROLES)},
        **{
            f"users.u{number}": {"format": 1, "kind": "person", "roles": [f"r{number % ROLES}"]}
            for number in range(USERS)
        },
    }


def _wanted() -> Wanted:
    return wanted(
        declaration_of(items()),
        databases={},
        spectrum_role_arn="arn:aws:iam::123456789012:role/spectrum",
        rotation_days={SINGLE_USER: 30, ALTERNATING_USERS: 30},
        tables=_tables(),
    )


def _tables() -> set[tuple[str, str]]:
    return {(f"s{number}", "t") for number in range(SCHEMAS)}


def targets(results: Planning) -> Iterator[Target]:
    """What was wanted and what was measured."""
    for one in results.planned:
        yield Target(
            what=f"seconds to plan, {one.state}",
            wanted=f"under {PLANNED_S:g}",
            measured=f"{one.seconds:.3f}",
            met=one.seconds < PLANNED_S,
        )


def page(results: Planning) -> str:
    """The page of the results."""
    return "\n\n".join(
        [
            "# Planning a warehouse, measured",
            f'Written by `make bench ARGS="plan --record"` on {results.date}. {results.machine}. '
            f"Python {results.python}. Medians of {results.rounds} interleaved rounds (lowest to highest). "
            f"{USERS} users, {SCHEMAS} schemas, {results.grants:,} grants on tables.",
            table(
                ("", "wanted", "measured", ""),
                ((one.what, one.wanted, one.measured, "met" if one.met else "**missed**") for one in targets(results)),
            ),
            table(
                ("", "planned in", "changes", "statements", "to a statement a right", "transactions"),
                (_row(one) for one in results.planned),
            ),
            _WHAT.strip(),
        ]
    )


def _row(one: Planned) -> tuple[str, ...]:
    low, high = (f"{seconds * 1000:.0f}" for seconds in one.seconds_of_each)
    return (
        one.state,
        f"{one.seconds * 1000:.0f} ms ({low} to {high})",
        f"{one.changes:,}",
        f"{one.statements:,}",
        f"{one.statements / one.changes:.2f}" if one.changes else "",
        f"{one.transactions:,}",
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench plan",
        description="How long planning a warehouse of 200 users, 50 schemas and 1,000 grants takes, and in how few "
        "statements it is written. Run it with nothing else beside it.",
    )
    parser.add_argument("--rounds", type=at_least_one, default=15, help="interleaved rounds (default: 15)")
    parser.add_argument("--record", action="store_true", help="keep the results in bench/RESULTS.md and results.json")
    parser.add_argument("--strict", action="store_true", help="exit with 1 when a target is missed")
    return parser
