"""The reports over the lake's tables as jobs left them: models run by DuckDB, and held against the streaming account.

It must not define a number: the models do.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import duckdb

from contracts.lake_tables.events import EVENT_TABLES
from rehearsal.scenario.lake import Lake
from rehearsal.scenario.tables import Tables
from reports import running
from reports.pages import page
from reports.pages.command import answer_of
from reports.pages.parts import Day
from reports.pages.views import REPORTS

DAYS_SHOWN = 2
"""How many of the last days have pages."""
EVENTS_OF_A_DAY = "flash_events"
"""The model that counts events by type."""


@dataclass(frozen=True, kw_only=True)
class ReportsFindings:
    """What the models made: rows by model and day, failed tests, and where events by type are not those of the lake.

    `events` is what the reports count over `days` days, `of_other_days` what the tables hold beyond them: catalog
    entries of any age, clocks that are hours off. `differing` has a sentence for each type whose events the reports
    count otherwise than its table holds them; the account of the lake's tables goes from there to the stream. `pages`
    are the reports of the last days and their index, by the name of their file.
    """

    outcomes: Sequence[running.Outcome]
    days: int
    events: int
    of_other_days: int
    differing: Sequence[str]
    pages: Mapping[str, str]
    seconds: float

    @property
    def problems(self) -> list[str]:
        """What is not as it should be, a sentence each."""
        tests = [
            f"{failure.model} of {outcome.day}: {failure.test} found {failure.rows} rows, such as {failure.examples[0]}"
            for outcome in self.outcomes
            for failure in outcome.failures
        ]
        return tests + list(self.differing)


def run(tables: Tables, lake: Lake, *, days: Sequence[date], as_of: datetime) -> ReportsFindings:
    """Run every model for the last of `days` and the one before, and for all of them what reports look back on.

    `as_of` is the moment up to which near-real-time models look.
    """
    begun = time.perf_counter()
    connection = tables.connection
    connection.execute("CREATE SCHEMA IF NOT EXISTS raw")
    lake.show_in(connection, schema="raw")
    running.make_sources(connection)
    shown = sorted(days)[-DAYS_SHOWN:]
    looked_back_on = [EVENTS_OF_A_DAY, *(model for model, of in page.reads().items() if of > 1)]
    for day in sorted(days)[:-DAYS_SHOWN]:
        running.run(connection, day=day, models=set(looked_back_on))
    outcomes = [running.run(connection, day=day, as_of=as_of if day == shown[-1] else None) for day in shown]
    counted = _counts(connection, f"SELECT event_type, sum(events) FROM reports.{EVENTS_OF_A_DAY} GROUP BY 1")
    held, of_other_days = _held(connection, min(days), max(days))
    differing = [
        f"{name}: reports count {counted[name]:,} events, its table holds {held[name]:,}"
        for name in sorted(counted | held)
        if counted[name] != held[name]
    ]
    return ReportsFindings(
        outcomes=outcomes,
        days=len(days),
        events=counted.total(),
        of_other_days=of_other_days,
        differing=differing,
        pages=_pages(connection, shown),
        seconds=time.perf_counter() - begun,
    )


def _pages(connection: duckdb.DuckDBPyConnection, days: Sequence[date]) -> dict[str, str]:
    pages: dict[str, str] = {}
    index: list[Day] = []
    for day in days:
        rows = {model: _rows(connection, model, day, of) for model, of in page.reads().items()}
        made = {page.path(day, report.name): page.render_report(report, day, rows) for report in REPORTS}
        index.append(Day(day=day, reports=[one.name for one in REPORTS], answer=answer_of(next(iter(made.values())))))
        pages |= made
    return {page.INDEX: page.render_index(index), **pages}


def _rows(connection: duckdb.DuckDBPyConnection, model: str, day: date, days: int) -> list[dict[str, Any]]:
    first = day - timedelta(days=days - 1)
    found = connection.execute(f"SELECT * FROM reports.{model} WHERE day BETWEEN ? AND ?", [first, day])
    names = [column[0] for column in found.description or ()]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def _held(connection: duckdb.DuckDBPyConnection, first: date, last: date) -> tuple[Counter[str], int]:
    """Events by type that happened from ``first`` to ``last``, and how many did on other days."""
    held, others = Counter[str](), 0
    for name in EVENT_TABLES:
        within = f"CAST(occurred_at AS DATE) BETWEEN DATE '{first}' AND DATE '{last}'"
        query = f'SELECT count(*) FILTER (WHERE {within}), count(*) FROM transformed."{name}"'
        ((held[name], rows),) = connection.execute(query).fetchall()
        others += rows - held[name]
    return held, others


def _counts(connection: duckdb.DuckDBPyConnection, query: str) -> Counter[str]:
    return Counter({name: int(count) for name, count in connection.execute(query).fetchall()})
