"""Show categories: how the day's listening spreads over topics, languages and hours."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from contracts.report_tables.categories import SHOW_CATEGORIES
from reports.pages import charts, numbers
from reports.pages.parts import Cell, Plot, Read, Report, Section, Table, View, number, part_of, text
from reports.pages.rows import Row, Rows
from reports.pages.views.comparing import greatest, unit_of

_NAME = SHOW_CATEGORIES.name
_DAYS, _STRIPS = 28, 8


def view(rows: Rows) -> View:
    """What the table says of one day, and of the days before it."""
    topics, languages, hours = (_of(rows.today(_NAME), dimension) for dimension in ("topic", "language", "hour"))
    return View(
        answer=_answer(topics, languages, hours),
        sections=[
            _dimension(rows, topics, "topic", "Topics"),
            _dimension(rows, languages, "language", "Languages"),
            _hours(rows, hours),
            _over_days(rows, topics),
        ],
    )


def _of(rows: Sequence[Row], dimension: str) -> list[Row]:
    found = [row for row in rows if row.text("dimension") == dimension]
    return sorted(found, key=lambda row: -(row.number("minutes_listened") or 0))


def _category(row: Row) -> str:
    return (row.text("category") or "unknown").replace("_", " ")


def _answer(topics: Sequence[Row], languages: Sequence[Row], hours: Sequence[Row]) -> str:
    said = [
        f"First {what}: {charts.apart(charts.shortened(_category(found[0]), 40))}, with "
        f"{numbers.share(found[0].number('minutes_listened_share'))} of the time heard."
        for found, what in ((topics, "topic"), (languages, "language"))
        if found
    ]
    if hours:
        said.append(f"Busiest hour: from {_category(hours[0])}:00 UTC.")
    return " ".join(said) or "Nothing was heard on this day."


def _share_before(rows: Rows, row: Row) -> float | None:
    """The category's share a week before; None where that day is not known."""
    day = rows.day - timedelta(days=7)
    before = [one for one in rows.on(day, _NAME) if one.text("dimension") == row.text("dimension")]
    if not before:
        return None
    same = next((one for one in before if one.text("category") == row.text("category")), None)
    return same.number("minutes_listened_share") if same else 0.0


def _points_cell(now: float | None, before: float | None) -> Cell:
    change = numbers.change(now, before, "a week before", kind="share", better="neither")
    if now is None or before is None:
        return number(numbers.NOT_KNOWN)
    return number("= the same" if change.direction == "same" else f"{change.arrow} {numbers.points(now - before)}")


def _dimension(rows: Rows, found: Sequence[Row], dimension: str, title: str) -> Section:
    top = greatest(found, "minutes_listened_share")
    return Section(
        title=title,
        tables=[
            Table(
                caption=f"{title} by time heard",
                columns=(dimension.capitalize(), "Of the time", "Against a week before", "Heard", "Listeners", "Shows"),
                rows=[
                    [
                        Cell(text=_category(row), foreign=True),
                        number(
                            numbers.share(row.number("minutes_listened_share")),
                            bar=part_of(row.number("minutes_listened_share"), top),
                        ),
                        _points_cell(row.number("minutes_listened_share"), _share_before(rows, row)),
                        number(numbers.duration(row.number("minutes_listened"))),
                        number(
                            numbers.count(row.number("listeners")), note=numbers.share(row.number("listeners_share"))
                        ),
                        number(numbers.count(row.number("shows"))),
                    ]
                    for row in found
                ],
                empty="nothing was heard on this day.",
            )
        ],
    )


def _hours(rows: Rows, found: Sequence[Row]) -> Section:
    labels = [f"{hour:02}:00" for hour in range(24)]
    by_hour = {row.text("category"): row for row in found}
    # An hour without a row had no listening, once the day has rows at all.
    heard = [by_hour[label[:2]].number("minutes_listened") if label[:2] in by_hour else 0.0 for label in labels]
    listeners = [by_hour[label[:2]].number("listeners") if label[:2] in by_hour else 0.0 for label in labels]
    title = "Time heard by hour"
    busiest = (
        f"most at {_category(found[0])}:00, {numbers.duration(found[0].number('minutes_listened'))}" if found else ""
    )
    plot = Plot(
        title=title,
        svg=charts.bars(
            key="hours",
            title=title,
            description=f"A bar for each hour of the day, in UTC: {busiest}.",
            labels=labels,
            values=heard,
            text=numbers.duration,
            unit=unit_of(numbers.duration, heard),
        ),
        reading="Hours are UTC: 20:00 is 12:00 in Los Angeles and 21:00 in Berlin in winter.",
        table=Table(
            caption="Hours of the day (UTC)",
            columns=("Hour", "Heard", "Listeners"),
            rows=[
                [text(label), number(numbers.duration(minutes)), number(numbers.count(people))]
                for label, minutes, people in zip(labels, heard, listeners, strict=True)
            ],
        ),
    )
    days = [day for day in rows.days(7) if rows.on(day, _NAME)]
    strips = Plot(
        title="Hours of the last seven days",
        svg=charts.heat_map(
            key="hours-of-days",
            title="Hours of the last seven days",
            description="A strip of 24 hours for each day; the fuller a cell, the more was heard.",
            rows=[(numbers.long_day(day), _hours_of(rows, day)) for day in days],
            labels=labels,
            text=numbers.duration,
        ),
        reading="The fuller a cell, the more was heard.",
        table=Table(
            caption="Time heard by hour (UTC) and day",
            columns=("Hour", *(numbers.short_day(day) for day in days)),
            rows=[
                [text(label), *(number(numbers.duration(_hours_of(rows, day)[index])) for day in days)]
                for index, label in enumerate(labels)
            ],
        ),
    )
    return Section(title="Hours of the day", plots=[plot, strips] if found else [], said=[] if found else ["None."])


def _hours_of(rows: Rows, day: date) -> list[float | None]:
    found = {row.text("category"): row for row in _of(rows.on(day, _NAME), "hour")}
    return [found[f"{hour:02}"].number("minutes_listened") if f"{hour:02}" in found else 0.0 for hour in range(24)]


def _over_days(rows: Rows, topics: Sequence[Row]) -> Section:
    days = rows.days(_DAYS)
    names = [_category(row) for row in topics[:_STRIPS]]
    values = {
        name: [
            next((row.number("minutes_listened_share") for row in found if _category(row) == name), 0.0)
            if found
            else None
            for found in (_of(rows.on(day, _NAME), "topic") for day in days)
        ]
        for name in names
    }
    labels = [numbers.short_day(day) for day in days]
    title = f"Topics over {_DAYS} days"
    plot = Plot(
        title=title,
        svg=charts.heat_map(
            key="topics-of-days",
            title=title,
            description=f"A strip of {_DAYS} days for each of {len(names)} topics: its share of the time heard.",
            rows=list(values.items()),
            labels=labels,
            text=numbers.share,
        ),
        reading="The fuller a cell, the greater the topic's share of the day; an empty one has none.",
        table=Table(
            caption="Share of the time heard by topic and day",
            columns=("Day", *names),
            rows=[
                [text(label), *(number(numbers.share(values[name][index])) for name in names)]
                for index, label in reversed(list(enumerate(labels)))
            ],
        ),
    )
    return Section(title="Over the days", plots=[plot] if names else [], said=[] if names else ["None."])


REPORT = Report(
    name="categories",
    label="Categories",
    title="Show categories",
    question="What do people listen to: which topics, in which languages, at which hours?",
    reads=(Read(table=SHOW_CATEGORIES, days=_DAYS),),
    reading=(
        "A show counts for its main topic and its language at the day's end; “unknown” has none in the catalog.",
        "Shares of time add up to 100 % in each table. Shares of listeners do not: one listener hears several topics.",
        "Compare with a week before: weekends sound different.",
    ),
    view=view,
)
