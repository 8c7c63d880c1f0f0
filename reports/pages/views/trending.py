"""Trending shows: which shows rise beyond their usual, now and over the hours of the day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from contracts.report_tables.trending import TRENDING_NOW, TRENDING_SETTLED
from reports.pages import charts, numbers
from reports.pages.parts import Plot, Read, Report, Section, Table, View, number, part_of, text
from reports.pages.rows import Row, Rows
from reports.pages.views.comparing import greatest, named, show

_SHOWN, _NEXT, _STRIPS = 20, 5, 12


def view(rows: Rows) -> View:
    """What trended on the day: as of its latest run, and settled by the hour."""
    now = rows.today(TRENDING_NOW.name)
    settled = rows.today(TRENDING_SETTLED.name)
    latest = max((moment for row in now if (moment := row.moment("as_of"))), default=None)
    newest = _by_rank([row for row in now if row.moment("as_of") == latest])
    return View(
        answer=_answer(newest, latest, settled),
        sections=[_latest(newest, latest), _by_hour(settled)],
    )


def _answer(newest: Sequence[Row], latest: datetime | None, settled: Sequence[Row]) -> str:
    if latest is None:
        shows = {row.text("show_id") for row in settled if row.flag("is_trending")}
        if not shows:
            return "No show trended in any hour of the day that is settled."
        return f"{numbers.plural(len(shows), 'show', 'shows')} trended in at least one hour of the day."
    rising = [row for row in newest if row.flag("is_trending")]
    if not rising:
        return f"No show is trending as of {numbers.moment(latest)}: nothing rose beyond its usual for the hour."
    first = rising[0]
    return (
        f"{numbers.plural(len(rising), 'show is', 'shows are')} trending as of {numbers.moment(latest)}; first is "
        f"{named(first, 80)}, {_times(first.number('lift'))} its usual."
    )


def _times(lift: float | None) -> str:
    return numbers.NOT_KNOWN if lift is None else f"{numbers.decimal(lift)} times"


def _by_rank(rows: Sequence[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: row.number("rank") or 0)


def _table(caption: str, rows: Sequence[Row], top: float, empty: str) -> Table:
    return Table(
        caption=caption,
        columns=("Show", "Against its usual", "Listeners", "Heard", "Activity", "Expected"),
        rows=[
            [
                show(row),
                number(_times(row.number("lift")), bar=part_of(row.number("lift"), top)),
                number(numbers.count(row.number("listeners"))),
                number(numbers.duration(row.number("minutes_listened"))),
                number(numbers.count(row.number("activity"))),
                number(numbers.count(row.number("expected_activity"))),
            ]
            for row in rows
        ],
        empty=empty,
    )


def _latest(newest: Sequence[Row], latest: datetime | None) -> Section:
    rising = [row for row in newest if row.flag("is_trending")]
    others = [row for row in newest if not row.flag("is_trending")]
    top = greatest(newest, "lift")
    when = (
        f"As of {numbers.moment(latest)}, from the six hours before." if latest else "There was no run on this day yet."
    )
    return Section(
        title="Trending at the latest run",
        said=[when],
        tables=[
            _table("Trending shows", rising[:_SHOWN], top, "nothing rose beyond its usual."),
            *([_table("Next in line, not trending", others[:_NEXT], top, "")] if others else []),
        ],
    )


def _by_hour(settled: Sequence[Row]) -> Section:
    hours = sorted({moment for row in settled if (moment := row.moment("as_of"))})
    rising: dict[str, dict[datetime, Row]] = {}
    for row in settled:
        moment = row.moment("as_of")
        if row.flag("is_trending") and moment is not None:
            rising.setdefault(row.text("show_id") or "", {})[moment] = row
    strips = sorted(rising.values(), key=lambda of_show: -max(row.number("lift") or 0 for row in of_show.values()))
    shown = strips[:_STRIPS]
    title = "Hours in which shows trended"
    names = [show(next(iter(of_show.values()))).text for of_show in shown]
    plot = Plot(
        title=title,
        svg=charts.heat_map(
            key="trending-hours",
            title=title,
            description=" ".join(
                f"{named(next(iter(of_show.values())))}: {numbers.plural(len(of_show), 'hour', 'hours')}, at most "
                f"{_times(max(row.number('lift') or 0 for row in of_show.values()))} its usual."
                for of_show in shown
            ),
            rows=[
                (name, [of_show[hour].number("lift") if hour in of_show else None for hour in hours])
                for name, of_show in zip(names, shown, strict=True)
            ],
            labels=[f"{hour:%H:%M}" for hour in hours],
            text=lambda lift: f"{_times(lift)} its usual",
        ),
        reading="A cell is the six hours up to a full hour (UTC); the fuller it is, the further above its usual.",
        table=Table(
            caption="Trending shows by the hour",
            columns=("Show", "Hours", "First", "Last", "At most"),
            rows=[
                [
                    show(of_show[min(of_show)]),
                    number(numbers.count(len(of_show))),
                    text(f"{min(of_show):%H:%M}"),
                    text(f"{max(of_show):%H:%M}"),
                    number(_times(max(row.number("lift") or 0 for row in of_show.values()))),
                ]
                for of_show in strips
            ],
        ),
    )
    if not strips:
        said = (
            ["No show trended in any full hour of the day."]
            if hours
            else ["The hours of this day are not settled yet."]
        )
        return Section(title="Over the day, settled", said=said)
    more = f" The first {_STRIPS} are shown; the table has all." if len(strips) > _STRIPS else ""
    return Section(
        title="Over the day, settled",
        said=[
            f"From the lake's tables, with what came late: {numbers.plural(len(strips), 'show', 'shows')} trended in "
            f"{numbers.plural(len({hour for of_show in strips for hour in of_show}), 'hour', 'hours')}.{more}"
        ],
        plots=[plot],
    )


REPORT = Report(
    name="trending",
    label="Trending",
    title="Trending shows",
    question="Which shows rise beyond what is usual for them at this hour?",
    reads=(Read(table=TRENDING_NOW), Read(table=TRENDING_SETTLED)),
    reading=(
        "A show trends when at least 20 people listen and its activity is at least twice its usual for this hour of "
        "the week. A show that is always large does not trend by being large.",
        "Activity fades by half every 90 minutes, and no listener brings more than 60 points, so that a bot counts as "
        "one eager listener. Both sides of “against its usual” have 120 points added: little activity stays "
        "near 1.",
        "The latest run sees events a minute or two after they arrive; the settled hours include what came late.",
    ),
    view=view,
)
