"""The flash report: the day in numbers, what moved, which shows moved it, and what changed in the catalog."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from contracts.report_tables.flash import (
    FLASH_CATALOG_CHANGES,
    FLASH_EVENTS,
    FLASH_MOVERS,
    FLASH_REPORT,
    FLASH_TOP_CREATORS,
    FLASH_TOP_SHOWS,
)
from reports.pages import numbers
from reports.pages.parts import Cell, Read, Report, Section, Table, View, number, part_of, text
from reports.pages.rows import Row, Rows
from reports.pages.views.comparing import (
    SHOWN_DAYS,
    Write,
    change_cell,
    compared,
    compared_figure,
    greatest,
    named,
    over_days,
    person,
    show,
    total,
)

_DAILY = FLASH_REPORT.name
_COMPARISONS = (("yesterday", "the day before"), ("week_before", "a week before"))
_SHOWN_MOVERS, _SHOWN_CHANGES = 6, 25


def view(rows: Rows) -> View:
    """What the tables of the flash report say of one day."""
    row = rows.one(_DAILY)
    movers = rows.today(FLASH_MOVERS.name)
    return View(
        answer=_answer(row),
        details=_drivers(movers, "yesterday", "the day before"),
        figures=[
            compared_figure(rows, _DAILY, "listeners", "Listeners", numbers.count),
            compared_figure(rows, _DAILY, "minutes_listened", "Time heard", numbers.duration),
            compared_figure(rows, _DAILY, "new_users", "New users", numbers.count),
            compared_figure(rows, _DAILY, "shows", "Shows heard", numbers.count),
            compared_figure(rows, _DAILY, "peak_concurrency", "Most at once", numbers.count),
            compared_figure(rows, _DAILY, "peak_concurrency_of_a_show", "Most in one show", numbers.count),
        ],
        sections=[
            _moved(movers),
            _top_shows(rows.today(FLASH_TOP_SHOWS.name)),
            _top_creators(rows.today(FLASH_TOP_CREATORS.name)),
            _catalog(rows.today(FLASH_CATALOG_CHANGES.name)),
            _over_time(rows),
            _counts(row, rows.today(FLASH_EVENTS.name)),
        ],
    )


def _answer(row: Row | None) -> str:
    if row is None:
        return "The numbers of this day are not known yet."
    if row.number("listeners") == 0:
        return "Nobody listened on this day."
    listeners = numbers.plural(row.number("listeners"), "listener", "listeners")
    return (
        f"{listeners} heard {numbers.duration(row.number('minutes_listened'))}"
        f"{compared(row, 'minutes_listened')[0].clause}."
    )


def _drivers(movers: Sequence[Row], compared_with: str, words: str) -> list[str]:
    """A sentence on the shows that moved the time heard most, up and down."""
    found = [row for row in movers if row.text("compared_with") == compared_with]
    of_all = next((row.number("minutes_listened_change_of_all") for row in found), None)
    if of_all is None:
        return []
    changes = sorted(found, key=lambda row: row.number("minutes_listened_change") or 0)
    said = [
        f"{named(row)} {_signed_time(change)}"
        for row in (changes[-1], changes[0])
        if (change := row.number("minutes_listened_change")) is not None and change != 0
    ]
    moved = f"Over all shows the time heard moved by {_signed_time(of_all)} against {words}"
    return [f"{moved}; most moved by {' and '.join(dict.fromkeys(said))}." if said else f"{moved}."]


def _signed_time(minutes: float | None) -> str:
    return f"+{numbers.duration(minutes)}" if minutes is not None and minutes > 0 else numbers.duration(minutes)


def _moved(movers: Sequence[Row]) -> Section:
    tables = []
    for compared_with, words in _COMPARISONS:
        found = [row for row in movers if row.text("compared_with") == compared_with]
        for column, place, what, write, signed in (
            ("minutes_listened", "place", "Time heard", numbers.duration, _signed_time),
            ("listeners", "place_by_listeners", "Listeners", numbers.count, numbers.signed_count),
        ):
            tables.append(_movers(found, column, place, f"{what}, against {words}", write, signed))
    return Section(
        title="What moved, and which shows moved it",
        said=[
            "Shows that moved the day most, up or down. The share is of all movement, so that a rise and a fall do not "
            "hide each other."
        ],
        pairs=tables,
    )


def _movers(
    found: Sequence[Row],
    column: str,
    place: str,
    caption: str,
    write: Write,
    signed: Callable[[float | None], str],
) -> Table:
    first = sorted(
        (row for row in found if row.number(f"{column}_change")),
        key=lambda row: (row.number(place) is None, row.number(place) or 0),
    )[:_SHOWN_MOVERS]
    top = greatest(first, f"{column}_change")
    return Table(
        caption=caption,
        columns=("Show", "Change", "Share"),
        rows=[
            [
                show(row, note=f"{write(row.number(f'{column}_before'))} → {write(row.number(column))}"),
                number(
                    f"{_arrow(row.number(f'{column}_change'))} {signed(row.number(f'{column}_change'))}",
                    bar=part_of(row.number(f"{column}_change"), top),
                    both=True,
                ),
                number(numbers.share(row.number(f"{column}_change_share"))),
            ]
            for row in first
        ],
        empty="no show moved, or there is no such day to compare with.",
    )


def _arrow(change: float | None) -> str:
    return "▼" if (change or 0) < 0 else "▲"


def _place(row: Row) -> str:
    place, before = row.number("place"), row.number("place_yesterday")
    if place is None:
        return ""
    if before is None:
        return "nothing was heard the day before"
    if place == before:
        return "= same place as the day before"
    return f"{'▲' if place < before else '▼'} from place {before:.0f}"


def _top_shows(found: Sequence[Row]) -> Section:
    found = sorted(found, key=lambda row: row.number("place") or 0)
    top = greatest(found, "minutes_listened")
    return Section(
        title="Top shows",
        tables=[
            Table(
                caption="Shows by time heard",
                columns=("Show", "Heard", "Of all", "Against the day before", "Listeners", "Peak", "Follows"),
                rows=[
                    [
                        show(row, note=_place(row)),
                        number(
                            numbers.duration(row.number("minutes_listened")),
                            bar=part_of(row.number("minutes_listened"), top),
                        ),
                        number(numbers.share(row.number("minutes_listened_share"))),
                        change_cell(
                            row.number("minutes_listened"), row.number("minutes_listened_yesterday"), "the day before"
                        ),
                        number(numbers.count(row.number("listeners"))),
                        number(numbers.count(row.number("peak_concurrency"))),
                        number(numbers.signed_count(row.number("follows_gained"))),
                    ]
                    for row in found
                ],
                empty="nothing was heard on this day.",
            )
        ],
    )


def _top_creators(found: Sequence[Row]) -> Section:
    found = sorted(found, key=lambda row: row.number("place") or 0)
    top = greatest(found, "minutes_listened")
    return Section(
        title="Top creators",
        tables=[
            Table(
                caption="Creators by time heard; a creator is named by the beginning of a pseudonymous key",
                columns=("Creator", "Heard", "Of all", "Against the day before", "Listeners", "Shows"),
                rows=[
                    [
                        text(person(row.text("creator_key"))),
                        number(
                            numbers.duration(row.number("minutes_listened")),
                            bar=part_of(row.number("minutes_listened"), top),
                        ),
                        number(numbers.share(row.number("minutes_listened_share"))),
                        change_cell(
                            row.number("minutes_listened"), row.number("minutes_listened_yesterday"), "the day before"
                        ),
                        number(numbers.count(row.number("listeners"))),
                        number(numbers.count(row.number("shows"))),
                    ]
                    for row in found
                ],
                empty="nothing was heard on this day.",
            )
        ],
    )


def _catalog(found: Sequence[Row]) -> Section:
    kinds = Counter(row.text("change") or "unknown" for row in found)
    counted = ", ".join(f"{count:,} {kind}" for kind, count in sorted(kinds.items()))
    shown = found[:_SHOWN_CHANGES]
    more = f" The first {len(shown)} are listed." if len(found) > len(shown) else ""
    return Section(
        title="What changed in the catalog",
        said=[f"{numbers.plural(len(found), 'change', 'changes')}: {counted}.{more}"] if found else [],
        tables=[
            Table(
                caption="Shows added, changed and withdrawn",
                columns=("Show", "Change", "What", "When (UTC)"),
                rows=[
                    [
                        show(row, note=_renamed(row)),
                        text(row.text("change")),
                        text((row.text("changed_columns") or "–").replace("_", " ").replace(",", ", ")),
                        _clock(row),
                    ]
                    for row in shown
                ],
                empty="nothing changed on this day.",
            )
        ],
    )


def _renamed(row: Row) -> str:
    before, now = row.text("status_before"), row.text("status")
    return f"{before} → {now}" if before and now and before != now else ""


def _clock(row: Row) -> Cell:
    moment = row.moment("changed_at")
    return text(f"{moment:%H:%M}" if moment else numbers.NOT_KNOWN)


def _over_time(rows: Rows) -> Section:
    return Section(
        title=f"The last {SHOWN_DAYS} days",
        plots=[
            over_days(
                rows,
                _DAILY,
                [(column, name), (f"{column}_mean_28_days", "mean of the 28 days before")],
                title=title,
                write=write,
            )
            for column, name, title, write in (
                ("minutes_listened", "time heard", "Time heard", numbers.duration),
                ("listeners", "listeners", "Listeners", numbers.count),
                ("peak_concurrency", "peak", "Most at once", numbers.count),
                ("new_users", "new users", "New users", numbers.count),
            )
        ],
    )


def _counts(row: Row | None, events: Sequence[Row]) -> Section:
    by_type = sorted(events, key=lambda event: (-(event.number("events") or 0), event.text("event_type") or ""))
    top, held = greatest(by_type, "events"), total(by_type, "events")
    counts = (
        ("sessions", "Listening sessions"),
        ("likes", "Likes"),
        ("calls", "Calls requested"),
        ("chat_messages", "Chat messages"),
        ("follows_gained", "Follows minus unfollows"),
        ("poll_votes", "Votes in polls"),
    )
    return Section(
        title="Everything that was counted",
        said=[f"The lake holds {numbers.plural(held, 'event', 'events')} of this day, each counted once."]
        if by_type
        else [],
        pairs=[
            Table(
                caption="What people did",
                columns=("Count", "On the day", "Against the day before", "A week before"),
                rows=[
                    [
                        text(name),
                        number(numbers.count(row.number(column))),
                        change_cell(row.number(column), row.number(f"{column}_yesterday"), "the day before"),
                        change_cell(row.number(column), row.number(f"{column}_week_before"), "a week before"),
                    ]
                    for column, name in counts
                ]
                if row
                else [],
                empty=f"{numbers.NOT_KNOWN}.",
            ),
            Table(
                caption="Events by type",
                columns=("Type", "Events", "Over an hour late"),
                rows=[
                    [
                        text((event.text("event_type") or "unknown").replace("_", " ")),
                        number(numbers.count(event.number("events")), bar=part_of(event.number("events"), top)),
                        number(numbers.count(event.number("events_late"))),
                    ]
                    for event in by_type
                ],
                empty=f"{numbers.NOT_KNOWN}.",
            ),
        ],
    )


REPORT = Report(
    name="flash",
    label="Flash",
    title="Flash report",
    question="How did the day go, what moved, and which shows moved it?",
    reads=(
        Read(table=FLASH_REPORT, days=SHOWN_DAYS),
        Read(table=FLASH_MOVERS),
        Read(table=FLASH_TOP_SHOWS),
        Read(table=FLASH_TOP_CREATORS),
        Read(table=FLASH_CATALOG_CHANGES),
        Read(table=FLASH_EVENTS),
    ),
    reading=(
        "Compare with a week before first: weekdays differ more than weeks. The 28-day mean leaves the day itself out.",
        "A listener counts once a day however many shows were heard, so that shows' listeners do not add up.",
        "The small lines run over 28 days, each from its lowest to its highest value; the plots below begin at 0.",
        "Time heard belongs to the day in which it was heard; a show that crosses midnight is divided there.",
    ),
    view=view,
)
