"""Figures that are held against other days, and the words for what a row is about; for several views."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from typing import Literal

from reports.pages import charts, numbers
from reports.pages.numbers import Change
from reports.pages.parts import Cell, Figure, Plot, Table, foreign, number, text
from reports.pages.rows import Row, Rows

Kind = Literal["number", "share"]
Better = Literal["more", "less", "neither"]
Write = Callable[[float | None], str]

SHOWN_DAYS = 28
"""How many days a plot over time shows."""
STYLES: tuple[charts.Style, ...] = ("main", "other", "third")
"""How the first, second and third line of a plot are drawn."""


def changes(rows: Rows, table: str, column: str, *, kind: Kind = "number", better: Better = "more") -> list[Change]:
    """A number of a table of one row a day, against the day before and the same weekday of the week before."""
    now = _of(rows.one(table), column)
    return [
        numbers.change(
            now, _of(rows.of(rows.day - timedelta(days=back), table), column), name, kind=kind, better=better
        )
        for back, name in ((1, "the day before"), (7, "a week before"))
    ]


def compared(row: Row | None, column: str, *, kind: Kind = "number", better: Better = "more") -> list[Change]:
    """A number against the day before, a week before and the mean of the days before, all of its own row."""
    now, mean_of = _of(row, column), _mean_of(row)
    return [
        numbers.change(now, _of(row, f"{column}_{against}"), words, kind=kind, better=better)
        for against, words in (
            ("yesterday", "the day before"),
            ("week_before", "a week before"),
            ("mean_28_days", mean_of),
        )
    ]


def compared_figure(
    rows: Rows, table: str, column: str, label: str, write: Write, *, better: Better = "more"
) -> Figure:
    """A number of a table of one row a day that compares itself, with its line over the days shown."""
    row = rows.one(table)
    return Figure(
        label=label,
        value=write(_of(row, column)),
        changes=compared(row, column, better=better),
        spark=charts.spark(rows.history(table, column, rows.days(SHOWN_DAYS))),
    )


def change_cell(now: float | None, then: float | None, against: str, *, better: Better = "more") -> Cell:
    """How a number changed, short enough for a column that `against` heads: `▲ 12.3 %`."""
    change = numbers.change(now, then, against, better=better)
    if change.direction == "unknown":
        return number(numbers.NOT_KNOWN)
    if change.direction == "same":
        return number("= the same")
    if not then:
        return number(f"{change.arrow} from none", tone=change.tone)
    assert now is not None and then is not None  # noqa: S101, PT018 - else its direction were not known
    return number(f"{change.arrow} {numbers.relative(now, then)}", tone=change.tone)


def figure(
    rows: Rows, table: str, column: str, label: str, write: Write, *, kind: Kind = "number", better: Better = "more"
) -> Figure:
    """A number of a table of one row a day, with its changes and its line over the days shown."""
    return Figure(
        label=label,
        value=write(_of(rows.one(table), column)),
        changes=changes(rows, table, column, kind=kind, better=better),
        spark=charts.spark(rows.history(table, column, rows.days(SHOWN_DAYS))),
    )


def over_days(
    rows: Rows,
    table: str,
    columns: Sequence[tuple[str, str]],
    *,
    title: str,
    write: Write,
    reading: str = "",
    days: int = SHOWN_DAYS,
) -> Plot:
    """Numbers of a table of one row a day, by (column, name), as lines over the days up to the page's own."""
    shown = rows.days(days)
    labels = [numbers.short_day(day) for day in shown]
    series = [
        charts.Series(name=name, values=rows.history(table, column, shown), style=style)
        for (column, name), style in zip(columns, STYLES, strict=False)
    ]
    key = f"{table}-{columns[0][0]}".replace("_", "-")
    return Plot(
        title=title,
        svg=charts.lines(
            key=key,
            title=title,
            description=said_of(series, labels, write),
            labels=labels,
            series=series,
            text=write,
            unit=unit_of(write, (value for one in series for value in one.values)),
        ),
        legend=[(one.style, one.name) for one in series] if len(series) > 1 else (),
        reading=reading,
        table=Table(
            caption=f"{title}, by day",
            columns=("Day", *(name for _, name in columns)),
            rows=[
                [text(label), *(number(write(one.values[index])) for one in series)]
                for index, label in reversed(list(enumerate(labels)))
            ],
        ),
    )


def show(row: Row, *, note: str = "") -> Cell:
    """The show that a row is about, by its title; by its id where the table or the catalog has none."""
    title = row.text("title") if row.has("title") else None
    return foreign(title or row.text("show_id"), otherwise="unknown show", note=note)


def named(row: Row, length: int = 60) -> str:
    """The show that a row is about, for a sentence: shortened, and set apart from the writing direction around it."""
    return charts.apart(charts.shortened(show(row).text, length))


def unit_of(write: Write, values: Iterable[float | None]) -> float:
    """In what an axis counts in round steps: 60 where minutes are written as hours, else 1."""
    top = max((value for value in values if value is not None), default=0)
    return 60 if write is numbers.duration and top > 120 else 1


def person(key: str | None) -> str:
    """A person by the beginning of the pseudonymous key, which tells people apart on a page."""
    return "unknown" if not key else charts.shortened(key, 13)


def total(rows: Sequence[Row], column: str) -> float | None:
    """The sum of what is known; None where nothing is."""
    known = [value for row in rows if (value := row.number(column)) is not None]
    return sum(known) if known else None


def greatest(rows: Sequence[Row], column: str) -> float:
    """The greatest size of what is known; 0 where nothing is."""
    return max((abs(value) for row in rows if (value := row.number(column)) is not None), default=0)


def _mean_of(row: Row | None) -> str:
    days = _of(row, "days_compared")
    return (
        f"the mean of {numbers.plural(days, 'day', 'days')} before" if days and days < SHOWN_DAYS else "the 28-day mean"
    )


def _of(row: Row | None, column: str) -> float | None:
    return row.number(column) if row else None


def said_of(series: Sequence[charts.Series], labels: Sequence[str], write: Write) -> str:
    """What a screen reader hears of a plot: of each line its last, lowest and highest value."""
    said = []
    for one in series:
        known = [(value, label) for value, label in zip(one.values, labels, strict=True) if value is not None]
        if not known:
            said.append(f"{one.name}: {numbers.NOT_KNOWN}.")
            continue
        (low, low_day), (high, high_day) = min(known, key=lambda at: at[0]), max(known, key=lambda at: at[0])
        said.append(
            f"{one.name}: {write(known[-1][0])} on {known[-1][1]}, the lowest {write(low)} on {low_day}, the highest "
            f"{write(high)} on {high_day}."
        )
    return f"Lines from {labels[0]} to {labels[-1]}. {' '.join(said)}"
