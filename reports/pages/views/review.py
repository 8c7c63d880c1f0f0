"""The business review of a week and of a month: so far, against the period before and the year before."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from contracts.report import ReportTable
from contracts.report_tables import by_name
from contracts.report_tables.flash import FLASH_REPORT
from reports.pages import charts, numbers
from reports.pages.numbers import Change
from reports.pages.parts import Cell, Figure, Plot, Read, Report, Section, Table, View, number, text
from reports.pages.rows import Row, Rows
from reports.pages.views.comparing import Write, change_cell, unit_of

_MEASURES: tuple[tuple[str, str, Write], ...] = (
    ("listeners", "Listeners", numbers.count),
    ("minutes_listened", "Time heard", numbers.duration),
    ("minutes_per_listener", "Heard by each listener", numbers.duration),
    ("new_users", "New users", numbers.count),
    ("shows", "Shows heard", numbers.count),
    ("peak_concurrency_of_a_show", "Most in one show", numbers.count),
    ("sessions", "Listening sessions", numbers.count),
    ("likes", "Likes", numbers.count),
    ("calls", "Calls requested", numbers.count),
    ("chat_messages", "Chat messages", numbers.count),
    ("follows_gained", "Follows minus unfollows", numbers.count),
    ("poll_votes", "Votes in polls", numbers.count),
)
_FIGURES = 6


def _view(table: ReportTable, period: str) -> Callable[[Rows], View]:
    def view(rows: Rows) -> View:
        row = rows.one(table.name)
        if row is None:
            return View(answer=f"The numbers of this {period} are not known yet.", warn=True)
        first = row.date("first_day") or rows.day
        days = (rows.day - first).days + 1
        against = f"the same days of the {period} before"
        heard = _change(row, "minutes_listened", "before", against).clause
        return View(
            span=f"{numbers.long_day(first)} to {numbers.long_day(rows.day)}" if days > 1 else numbers.long_day(first),
            answer=f"{numbers.plural(row.number('listeners'), 'listener', 'listeners')} heard "
            f"{numbers.duration(row.number('minutes_listened'))} in this {period} so far{heard}.",
            details=[f"The {period} so far: {numbers.plural(days, 'day', 'days')}.", *_gaps(row, period)],
            figures=[
                Figure(
                    label=label,
                    value=write(row.number(column)),
                    changes=[_change(row, column, before, words) for before, words in _compared(row, period)],
                )
                for column, label, write in _MEASURES[:_FIGURES]
            ],
            sections=[_all(row, period), _by_day(rows, days, period)],
        )

    return view


def _compared(row: Row, period: str) -> list[tuple[str, str]]:
    """What the period is compared with: the endings of columns and words for them. Gaps are told of once, above."""
    both = (("before", f"the {period} before"), ("year_before", "the year before"))
    return [(before, words) for before, words in both if not row.text(f"{before}_gap")]


def _change(row: Row, column: str, before: str, against: str) -> Change:
    return numbers.change(row.number(column), row.number(f"{column}_{before}"), against)


def _gaps(row: Row, period: str) -> list[str]:
    """Why there is nothing to compare with, in the model's own words."""
    return [
        f"Not compared with {words}: {gap.rstrip('.')}."
        for column, words in (("before_gap", f"the {period} before"), ("year_before_gap", "the year before"))
        if (gap := row.text(column))
    ]


def _all(row: Row, period: str) -> Section:
    compared = _compared(row, period)
    return Section(
        title="Everything that was counted",
        tables=[
            Table(
                caption=f"The {period} so far, against as many days before",
                columns=(
                    "Count",
                    f"This {period}",
                    *(name for _, words in compared for name in (words.capitalize(), "Change")),
                ),
                rows=[
                    [
                        text(label),
                        number(write(row.number(column))),
                        *(cell for before, words in compared for cell in _before(row, column, before, words, write)),
                    ]
                    for column, label, write in _MEASURES
                ],
                open_rows=len(_MEASURES),
            )
        ],
    )


def _before(row: Row, column: str, before: str, words: str, write: Write) -> tuple[Cell, Cell]:
    then = row.number(f"{column}_{before}")
    return number(write(then)), change_cell(row.number(column), then, words)


def _by_day(rows: Rows, days: int, period: str) -> Section:
    """The period's days beside those of the one before, from the daily numbers."""
    shown = rows.days(days)
    return Section(
        title="Day by day",
        said=[f"Each day of the {period}, from the flash report."],
        plots=[
            _bars(rows, column, title, [numbers.short_day(day) for day in shown], write, days)
            for column, title, write in (
                ("minutes_listened", "Time heard", numbers.duration),
                ("listeners", "Listeners", numbers.count),
            )
        ],
    )


def _bars(rows: Rows, column: str, title: str, labels: list[str], write: Write, days: int) -> Plot:
    values = rows.history(FLASH_REPORT.name, column, rows.days(days))
    week_before = rows.history(FLASH_REPORT.name, column, [day - timedelta(days=7) for day in rows.days(days)])
    known = [(value, label) for value, label in zip(values, labels, strict=True) if value is not None]
    said = f"highest {write(max(known)[0])} on {max(known)[1]}" if known else numbers.NOT_KNOWN
    return Plot(
        title=f"{title}, by day",
        svg=charts.bars(
            key=f"days-{column}".replace("_", "-"),
            title=f"{title}, by day",
            description=f"Bars from {labels[0]} to {labels[-1]}: {said}.",
            labels=labels,
            values=values,
            text=write,
            unit=unit_of(write, values),
        ),
        table=Table(
            caption=f"{title}, by day",
            columns=("Day", title, "A week before"),
            rows=[
                [text(label), number(write(value)), number(write(before))]
                for label, value, before in zip(labels, values, week_before, strict=True)
            ],
        ),
    )


def _report(name: str, title: str, table: ReportTable, period: str, starts: str) -> Report:
    return Report(
        name=name,
        label=name.capitalize(),
        title=title,
        question=f"How is this {period} going, against the one before and the year before?",
        reads=(Read(table=table), Read(table=FLASH_REPORT, days=38)),
        reading=(
            f"The {period} begins {starts} and is reported up to the page's day: it is compared with as many days.",
            "A listener counts once in the whole period, so that listeners of its days do not add up to it.",
            "Where data do not reach back far enough, nothing is compared, and the page says so.",
        ),
        view=_view(table, period),
    )


WEEK = _report("week", "Business review: week", by_name("business_review_week"), "week", "on Monday")
MONTH = _report("month", "Business review: month", by_name("business_review_month"), "month", "on its first day")
