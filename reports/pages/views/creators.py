"""The creator scorecard: what each creator's shows were worth to listeners in 28 days."""

from __future__ import annotations

from collections.abc import Sequence

from contracts.report_tables.creators import CREATOR_SCORECARD
from reports.pages import numbers
from reports.pages.parts import Figure, Read, Report, Section, Table, View, number, part_of, text
from reports.pages.rows import Row, Rows
from reports.pages.views.comparing import change_cell, greatest, person, total

_SHOWN, _MOVED = 50, 8


def view(rows: Rows) -> View:
    """What the scorecard says of the 28 days up to the day."""
    found = sorted(rows.today(CREATOR_SCORECARD.name), key=lambda row: -(row.number("minutes_listened") or 0))
    heard = [row for row in found if row.number("minutes_listened")]
    minutes = total(found, "minutes_listened")
    # Where the data do not reach as far back for all, a sum over some would be no comparison.
    whole = all(row.number("minutes_listened_before") is not None for row in found)
    before = total(found, "minutes_listened_before") if whole else None
    change = numbers.change(minutes, before, "in the 28 days before")
    tenth = heard[: max(len(heard) // 10, 1)] if heard else []
    concentration = (total(tenth, "minutes_listened") or 0) / minutes if minutes else None
    return View(
        answer=f"{numbers.plural(len(heard), 'creator was', 'creators were')} heard in 28 days, for "
        f"{numbers.duration(minutes)} in all{change.clause}."
        if heard
        else "No creator was heard in the 28 days up to this day.",
        figures=[
            Figure(label="Creators", value=numbers.count(len(found)), note="with a show, or followed in these days"),
            Figure(label="Creators heard", value=numbers.count(len(heard))),
            Figure(label="Time heard", value=numbers.duration(minutes), changes=[change]),
            Figure(
                label="With the first tenth",
                value=numbers.share(concentration),
                note=f"of the time was heard with {numbers.plural(len(tenth), 'creator', 'creators')}",
            ),
            Figure(
                label="Follows minus unfollows",
                value=numbers.signed_count(total(found, "creator_follows_gained")),
                note="of creators",
            ),
        ],
        sections=[_movers(found), _scorecard(found)],
    )


def _moved(row: Row) -> float:
    """By how much the time heard moved; 0 where it is not known."""
    now, before = row.number("minutes_listened"), row.number("minutes_listened_before")
    return 0.0 if now is None or before is None else now - before


def _movers(found: Sequence[Row]) -> Section:
    first = sorted((row for row in found if _moved(row)), key=lambda row: -abs(_moved(row)))[:_MOVED]
    top = max((abs(_moved(row)) for row in first), default=0)
    known = any(row.number("minutes_listened_before") is not None for row in found)
    return Section(
        title="Who moved",
        said=[]
        if known or not found
        else ["The data do not reach back to the 28 days before: nothing is compared yet."],
        tables=[
            Table(
                caption="Creators whose time heard moved most, against the 28 days before",
                columns=("Creator", "Change", "Now", "Before"),
                rows=[
                    [
                        text(person(row.text("creator_key"))),
                        number(
                            f"{'▲ +' if _moved(row) > 0 else '▼ '}{numbers.duration(_moved(row))}",
                            bar=part_of(_moved(row), top),
                            both=True,
                        ),
                        number(numbers.duration(row.number("minutes_listened"))),
                        number(numbers.duration(row.number("minutes_listened_before"))),
                    ]
                    for row in first
                ],
                empty="nobody moved, or there is nothing to compare with.",
            )
        ],
    )


def _scorecard(found: Sequence[Row]) -> Section:
    shown = found[:_SHOWN]
    top = greatest(shown, "minutes_listened")
    more = f" The first {len(shown)} of {len(found):,} are listed." if len(found) > len(shown) else ""
    return Section(
        title="Scorecard",
        said=[f"A creator is named by the beginning of a pseudonymous key.{more}"],
        tables=[
            Table(
                caption="Creators by time heard in 28 days",
                columns=(
                    "Creator",
                    "Heard",
                    "Change",
                    "Listeners",
                    "Of these new",
                    "Came again",
                    "Days",
                    "Peak",
                    "Follows",
                ),
                rows=[
                    [
                        text(
                            person(row.text("creator_key")),
                            note=f"{numbers.plural(row.number('shows'), 'show', 'shows')}, "
                            f"{numbers.count(row.number('shows_live'))} live",
                        ),
                        number(
                            numbers.duration(row.number("minutes_listened")),
                            bar=part_of(row.number("minutes_listened"), top),
                        ),
                        change_cell(row.number("minutes_listened"), row.number("minutes_listened_before"), "before"),
                        number(numbers.count(row.number("listeners"))),
                        number(numbers.count(row.number("listeners_new"))),
                        number(numbers.share(row.number("listeners_on_several_days_share"))),
                        number(numbers.count(row.number("days_heard"))),
                        number(numbers.count(row.number("peak_concurrency_of_a_show"))),
                        number(numbers.signed_count(row.number("creator_follows_gained"))),
                    ]
                    for row in shown
                ],
                empty="no creator has a show yet.",
            )
        ],
    )


REPORT = Report(
    name="creators",
    label="Creators",
    title="Creators",
    question="Whose shows were worth most to listeners in the last 28 days, and who rises or falls?",
    reads=(Read(table=CREATOR_SCORECARD),),
    reading=(
        "All numbers are of the 28 days up to the day; changes are against the 28 days before those.",
        "“Came again” is the share of listeners who started sessions on two days or more: habit, not size.",
        "“Days” counts days on which anything of the creator was heard, of 28.",
        "A show counts for whom it belongs to at the day's end, with all that it had before.",
    ),
    view=view,
)
