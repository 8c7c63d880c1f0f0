"""Engagement: who comes, who comes back, and what leads to listening and following."""

from __future__ import annotations

from contracts.report_tables.engagement import ENGAGEMENT_DAILY, FUNNEL_DAILY, NOTIFICATION_PATH, RETENTION
from reports.pages import charts, numbers
from reports.pages.parts import Cell, Figure, Plot, Read, Report, Section, Table, View, number, part_of, text
from reports.pages.rows import Row, Rows
from reports.pages.views.comparing import SHOWN_DAYS, STYLES, changes, figure, over_days, said_of, total

_DAILY = ENGAGEMENT_DAILY.name
_RETURNS = (1, 7, 28)


def view(rows: Rows) -> View:
    """What the tables of engagement say of one day."""
    row = rows.one(_DAILY)
    details = []
    days_known = row.number("days_with_activity") if row else None
    if days_known is not None and days_known < SHOWN_DAYS:
        details.append(
            f"Of the {SHOWN_DAYS} days that count as a month, {days_known:.0f} have data: monthly numbers are low and "
            "stickiness is high until the month is full."
        )
    return View(
        answer=_answer(rows, row),
        details=details,
        figures=[
            figure(rows, _DAILY, "daily_active", "Active on the day", numbers.count),
            figure(rows, _DAILY, "weekly_active", "Active in 7 days", numbers.count),
            figure(rows, _DAILY, "monthly_active", "Active in 28 days", numbers.count),
            figure(rows, _DAILY, "stickiness_share", "Stickiness (day of month)", numbers.share, kind="share"),
            figure(rows, _DAILY, "sessions", "Listening sessions", numbers.count),
            figure(rows, _DAILY, "minutes_per_listener", "Heard by each listener", numbers.duration),
        ],
        sections=[_comes(rows), _comes_back(rows.today(RETENTION.name)), _funnel(rows), _notifications(rows)],
    )


def _answer(rows: Rows, row: Row | None) -> str:
    if row is None:
        return "How many people were active on this day is not known yet."
    before = changes(rows, _DAILY, "daily_active")[0]
    active = row.number("daily_active")
    if active == 0:
        return "Nobody was active on this day."
    heard = row.number("listening_share")
    listened = "" if heard is None else f"; {numbers.share(heard)} of them listened"
    return f"{numbers.plural(active, 'person was', 'people were')} active{before.clause}{listened}."


def _comes(rows: Rows) -> Section:
    return Section(
        title="Who comes",
        plots=[
            over_days(
                rows,
                _DAILY,
                [
                    ("monthly_active", "active in 28 days"),
                    ("weekly_active", "active in 7 days"),
                    ("daily_active", "active on the day"),
                ],
                title="Active people",
                write=numbers.count,
            ),
            over_days(
                rows,
                _DAILY,
                [("stickiness_share", "stickiness")],
                title="Stickiness",
                write=numbers.share,
                reading="People active on the day, of those active in the 28 days up to it.",
            ),
            over_days(
                rows,
                _DAILY,
                [("minutes_per_listener", "time heard by each listener")],
                title="Time heard by each listener",
                write=numbers.duration,
            ),
            over_days(
                rows,
                _DAILY,
                [("app_opens", "app opens"), ("sessions", "listening sessions")],
                title="App opens and listening sessions",
                write=numbers.count,
            ),
        ],
    )


def _comes_back(cohorts: list[Row]) -> Section:
    by_day = sorted(cohorts, key=lambda row: row.date("cohort_day") or row.day, reverse=True)
    figures = []
    for days in _RETURNS:
        known = [row for row in by_day if row.number(f"returned_day_{days}") is not None]
        new, returned = total(known, "new_listeners"), total(known, f"returned_day_{days}")
        figures.append(
            Figure(
                label=f"Back on day {days}",
                value=numbers.share(returned / new if new and returned is not None else None),
                note=f"of {numbers.count(new)} new people, in {numbers.plural(len(known), 'first day', 'first days')}"
                if known
                else f"no first day lies {days} days back yet",
            )
        )
    said = [] if by_day else ["Nobody was new in these days."]
    if any((row.number("days_of_data_before") or 0) < SHOWN_DAYS for row in by_day):
        said.append(
            "Some first days lie less than 28 days after the data begin, so that people who had come before pass as "
            "new."
        )
    return Section(
        title="Who comes back",
        said=said,
        figures=figures,
        plots=[_retention(by_day)] if by_day else [],
    )


def _retention(by_day: list[Row]) -> Plot:
    title = "Share of new people who were active again"
    oldest_first = by_day[::-1]
    labels = [numbers.short_day(row.date("cohort_day") or row.day) for row in oldest_first]
    series = [
        charts.Series(
            name=f"on day {days}", values=[row.number(f"day_{days}_share") for row in oldest_first], style=style
        )
        for days, style in zip(_RETURNS, STYLES, strict=True)
    ]
    return Plot(
        title=title,
        svg=charts.lines(
            key="retention",
            title=title,
            description=said_of(series, labels, numbers.share),
            labels=labels,
            series=series,
            text=numbers.share,
        ),
        legend=[(one.style, one.name) for one in series],
        reading="By the day on which they came first.",
        table=Table(
            caption="New people by first day, and how many were active again; the shade follows the share",
            columns=("First day", "New people", *(f"Day {days}" for days in _RETURNS)),
            rows=[
                [
                    text(label),
                    number(numbers.count(row.number("new_listeners"))),
                    *(_returned(row.number(f"day_{days}_share")) for days in _RETURNS),
                ]
                for row, label in zip(by_day, labels[::-1], strict=True)
            ],
        ),
    )


def _returned(share: float | None) -> Cell:
    return number(numbers.share(share), level=share)


def _funnel(rows: Rows) -> Section:
    row = rows.one(FUNNEL_DAILY.name)
    steps = (
        ("opened", "Opened the app", None),
        ("listened", "… and then listened", "listened_share"),
        ("followed", "… and then followed", "followed_share"),
    )
    opened = row.number("opened") if row else None
    return Section(
        title="From opening the app to following",
        said=[]
        if not row
        else [f"Of all who opened the app, {numbers.share(row.number('open_to_follow_share'))} followed."],
        tables=[
            Table(
                caption="Steps of the day, in this order",
                columns=("Step", "People", "Of the step before"),
                rows=[
                    [
                        text(words),
                        number(numbers.count(row.number(name)), bar=part_of(row.number(name), opened)),
                        number(numbers.share(row.number(of)) if of else "–"),
                    ]
                    for name, words, of in steps
                ]
                if row
                else [],
                empty=f"It is {numbers.NOT_KNOWN}.",
            )
        ],
        plots=[
            over_days(
                rows,
                FUNNEL_DAILY.name,
                [("listened_share", "listened, of opened"), ("followed_share", "followed, of listened")],
                title="Shares that went on",
                write=numbers.share,
            )
        ],
    )


def _notifications(rows: Rows) -> Section:
    found = sorted(rows.today(NOTIFICATION_PATH.name), key=lambda row: -(row.number("delivered") or 0))
    return Section(
        title="From notification to listening",
        said=[
            "A notification counts as opened within 120 minutes of delivery, and as listened to within 30 minutes of "
            "opening."
        ],
        tables=[
            Table(
                caption="Notifications by kind and channel",
                columns=("Kind", "Delivered", "Opened", "Then listened", "Listened, of delivered"),
                rows=[
                    [
                        text((row.text("kind") or "unknown").replace("_", " "), note=row.text("channel") or "unknown"),
                        number(numbers.count(row.number("delivered"))),
                        number(numbers.share(row.number("opened_share")), bar=row.number("opened_share")),
                        number(numbers.share(row.number("listened_share")), bar=row.number("listened_share")),
                        number(numbers.share(row.number("delivery_to_listen_share"))),
                    ]
                    for row in found
                ],
                empty="No notification's time ended on this day.",
            )
        ],
    )


REPORT = Report(
    name="engagement",
    label="Engagement",
    title="Engagement",
    question="Who comes, who comes back, and what leads people to listen and to follow?",
    reads=(
        Read(table=ENGAGEMENT_DAILY, days=SHOWN_DAYS),
        Read(table=RETENTION),
        Read(table=FUNNEL_DAILY, days=SHOWN_DAYS),
        Read(table=NOTIFICATION_PATH),
    ),
    reading=(
        "A person is a signed-in listener, or a device where nobody is signed in.",
        "Stickiness of 20 % means that a person active in the month comes on about one day in five.",
        "A funnel counts a person once, and only when the steps happened in this order on this day.",
        "Retention of the newest first days is not known yet: their day 7 and day 28 lie ahead.",
    ),
    view=view,
)
