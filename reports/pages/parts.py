"""What a page is made of, before it is HTML: figures, plots, tables, sections; computes nothing.

Views fill these with plain text. Only `charts.py` and the templates write HTML, and they escape whatever is not
their own, so that a title from outside cannot become markup.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from markupsafe import Markup

from contracts.report import ReportTable
from reports.pages.numbers import Change, Tone
from reports.pages.rows import Rows


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A number that matters, what it is held against, and a small line of the days before."""

    label: str
    value: str
    changes: Sequence[Change] = ()
    spark: Markup | None = None
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A cell of a table.

    `number` aligns it to the right; `bar` draws a bar below it, from 0 to 1 of the column's width, or, with `both`,
    from -1 to 1 to either side of a middle; `level` shades it, from 0 to 1; `foreign` marks text from outside, whose
    direction of writing may differ; `note` stands small below it.
    """

    text: str
    number: bool = False
    bar: float | None = None
    both: bool = False
    level: float | None = None
    tone: Tone = "plain"
    foreign: bool = False
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Table:
    """Rows under named columns; the first cell of a row names it. `caption` says what it lists.

    The first `open_rows` are seen at once, the others unfold; beside a plot all unfold together.
    """

    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    empty: str = "Nothing on this day."
    open_rows: int = 10

    def __post_init__(self) -> None:
        """Refuse rows that do not fit the columns."""
        wrong = [len(row) for row in self.rows if len(row) != len(self.columns)]
        if wrong:
            raise ValueError(f"table {self.caption!r}: rows of {wrong} cells under {len(self.columns)} columns")

    def is_number(self, index: int) -> bool:
        """Whether a column holds numbers, so that its head stands above them."""
        return bool(self.rows) and all(row[index].number for row in self.rows)


@dataclass(frozen=True, kw_only=True)
class Plot:
    """A plot, its legend as (style, words), a sentence on how to read it, and the table of its numbers."""

    title: str
    svg: Markup
    table: Table
    legend: Sequence[tuple[str, str]] = ()
    reading: str = ""


@dataclass(frozen=True, kw_only=True)
class Section:
    """A part of a page under a heading of its own. `said` are its sentences; `pairs` and plots stand side by side."""

    title: str
    said: Sequence[str] = ()
    figures: Sequence[Figure] = ()
    plots: Sequence[Plot] = ()
    pairs: Sequence[Table] = ()
    tables: Sequence[Table] = ()


@dataclass(frozen=True, kw_only=True)
class View:
    """What a report says of one day: the answer first, then the figures, then why.

    `span` names what the page is about where that is not the day, such as a week. `warn` marks an answer that asks
    for a closer look.
    """

    answer: str
    details: Sequence[str] = ()
    warn: bool = False
    span: str = ""
    figures: Sequence[Figure] = ()
    sections: Sequence[Section] = ()


@dataclass(frozen=True, kw_only=True)
class Read:
    """A result table that a page reads: the rows of `days` days, the page's own the last."""

    table: ReportTable
    days: int = 1


@dataclass(frozen=True, kw_only=True)
class Report:
    """One report: the name of its file, the question it answers, what it reads and how it is viewed.

    `label` is what links call it, as short as can be; `reading` are the sentences on how to read it.
    """

    name: str
    label: str
    title: str
    question: str
    reads: Sequence[Read]
    reading: Sequence[str]
    view: Callable[[Rows], View]


def text(value: str | None, *, note: str = "", tone: Tone = "plain") -> Cell:
    """A cell of words of ours."""
    return Cell(text="–" if value is None else value, note=note, tone=tone)


def foreign(value: str | None, *, otherwise: str = "without a title", note: str = "") -> Cell:
    """A cell of text from outside, such as a show's title."""
    if value is None or not value.strip():
        return Cell(text=otherwise, note=note)
    return Cell(text=value, foreign=True, note=note)


def number(
    written: str,
    *,
    bar: float | None = None,
    both: bool = False,
    level: float | None = None,
    tone: Tone = "plain",
    note: str = "",
) -> Cell:
    """A cell of a number that `numbers.py` wrote."""
    return Cell(text=written, number=True, bar=bar, both=both, level=level, tone=tone, note=note)


def part_of(value: float | None, whole: float | None) -> float | None:
    """The length of a bar: `value` as a part of the longest, `whole`; None where either is not known or is nothing."""
    if value is None or not whole:
        return None
    return max(-1.0, min(1.0, value / whole))


@dataclass(frozen=True, kw_only=True)
class Day:
    """A day of the index: which reports it has, and what its first report answered."""

    day: date
    reports: Sequence[str]
    answer: str = ""
