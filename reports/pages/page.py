"""Render reports as dated, self-contained HTML pages, and the index of all days; reads nothing but its templates."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import groupby
from pathlib import Path

import jinja2

from contracts.report import ReportTable
from reports.pages import numbers
from reports.pages.parts import Day, Report, View
from reports.pages.rows import Rows, Value
from reports.pages.views import REPORTS

INDEX = "index.html"
"""The name of the index of all days, beside the days' folders."""


class UnknownReportError(ValueError):
    """There is no report of that name."""


@dataclass(frozen=True, kw_only=True)
class _Source:
    """What the foot of a page says of a table: what it is, whether its rows are there, and what they lack."""

    table: ReportTable
    rows: int
    last_day: date | None
    due: datetime
    lacking: Sequence[tuple[str, int]]


def report(name: str) -> Report:
    """The report called `name`, such as `flash`; UnknownReportError when there is none."""
    for one in REPORTS:
        if one.name == name:
            return one
    raise UnknownReportError(
        f"report; given: {name!r}; allowed: {', '.join(one.name for one in REPORTS)}; fix: name one of these."
    )


def reads() -> dict[str, int]:
    """Which result tables pages read, by name, and the rows of how many days, the page's own the last."""
    days: dict[str, int] = {}
    for read in (read for one in REPORTS for read in one.reads):
        days[read.table.name] = max(days.get(read.table.name, 0), read.days)
    return days


def path(day: date, name: str) -> str:
    """Where a page lies below the folder of all: `2026-11-21/flash.html`."""
    return f"{day.isoformat()}/{name}.html"


def render(name: str, day: date, rows: Mapping[str, Iterable[Mapping[str, Value]]]) -> str:
    """The page of the report `name` for one day (UTC), as HTML that loads nothing from anywhere.

    `rows` holds the rows of result tables by the table's name, as Python values or as JSON gives them: those of the
    day, and of the days before it that plots show (`reads` says how many). Rows of later days are left out. The same
    rows give the same page. UnknownReportError; RowsError when a value is not what its column says.
    """
    return render_report(report(name), day, rows)


def render_report(chosen: Report, day: date, rows: Mapping[str, Iterable[Mapping[str, Value]]]) -> str:
    """The page of a report; `render` says of what."""
    read = Rows(day, [read.table for read in chosen.reads], rows)
    sources = [_source(read, table) for table in read.tables]
    view = chosen.view(read) if any(source.rows for source in sources) else _nothing(read)
    return (
        _environment()
        .get_template("page.html.j2")
        .render(report=chosen, reports=REPORTS, day=day, view=view, sources=sources, index=f"../{INDEX}")
    )


def render_index(days: Iterable[Day]) -> str:
    """The page that lists all days, newest first, by month, with links to their reports."""
    newest_first = sorted(days, key=lambda one: one.day, reverse=True)
    months = [
        (numbers.month(month), list(of_month))
        for month, of_month in groupby(newest_first, key=lambda one: one.day.replace(day=1))
    ]
    return _environment().get_template("index.html.j2").render(months=months, reports=REPORTS, path=path)


def _nothing(read: Rows) -> View:
    known = [day for table in read.tables if (day := read.last_day(table.name))]
    last = f"The last day with rows is {numbers.long_day(max(known))}." if known else "No earlier day has any either."
    return View(
        answer="There is nothing to report for this day yet.",
        details=(f"The tables of this report have no rows of it. {last}",),
        warn=True,
    )


def _source(read: Rows, table: ReportTable) -> _Source:
    today = read.today(table.name)
    nulls = {column.name: sum(row.text(column.name) is None for row in today) for column in table.columns}
    end_of_day = datetime.combine(read.day + timedelta(days=1), time(), UTC)
    return _Source(
        table=table,
        rows=len(today),
        last_day=read.last_day(table.name),
        due=end_of_day + timedelta(hours=table.freshness_hours),
        lacking=[(name, count) for name, count in nulls.items() if count],
    )


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.tests["unknown"] = lambda text: text == numbers.NOT_KNOWN
    filters: dict[str, Callable[..., str]] = {
        "count": numbers.count,
        "long_day": numbers.long_day,
        "moment": numbers.moment,
    }
    environment.filters.update(filters)
    return environment
