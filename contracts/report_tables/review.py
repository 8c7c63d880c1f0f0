"""The business review of a week and of a month; computes nothing."""

from __future__ import annotations

from contracts.model import Column
from contracts.report import DAY, ReportTable


def _measure(path: str, description: str, *, type: str = "bigint") -> tuple[Column, ...]:
    return (
        Column(path=path, type=type, description=description),
        Column(path=f"{path}_before", type=type, description=f"The period before; null with a gap. {description}"),
        Column(path=f"{path}_year_before", type=type, description=f"The year before; null with a gap. {description}"),
    )


def _review(name: str, *, period: str, compared: str) -> ReportTable:
    return ReportTable(
        name=name,
        version=1,
        owner="data platform",
        description=f"The {period} of the day up to the day, against {compared}.",
        grain="one row for the day",
        columns=(
            DAY,
            Column(path="first_day", type="date", description=f"The first day of the {period}."),
            Column(path="days", type="bigint", description="Days from the first up to the day."),
            Column(path="data_begin_on", type="date", description="The first day with data; null without any."),
            Column(
                path="before_gap",
                type="string",
                description="Why the period before is not compared with; null when it is.",
            ),
            Column(
                path="year_before_gap",
                type="string",
                description="Why the year before is not compared with; null when it is.",
            ),
            *_measure("listeners", "Distinct listeners who heard anything."),
            *_measure("new_users", "Accounts that were created."),
            *_measure("sessions", "Listening sessions that started."),
            *_measure("shows", "Shows of which anything was heard."),
            *_measure("minutes_listened", "Time heard, in minutes.", type="decimal(18,3)"),
            *_measure("minutes_per_listener", "Minutes over listeners; null without a listener.", type="double"),
            *_measure("peak_concurrency_of_a_show", "Most listeners of one show at one moment."),
            *_measure("likes", "Taps of like events."),
            *_measure("calls", "Calls that were requested."),
            *_measure("chat_messages", "Chat messages."),
            *_measure("follows_gained", "Follows minus unfollows of shows."),
            *_measure("poll_votes", "Votes in polls."),
        ),
        key=("day",),
    )


REVIEW_TABLES = (
    _review(
        "business_review_week",
        period="week (from Monday)",
        compared="the same weekdays of the week before and of 52 weeks before",
    ),
    _review(
        "business_review_month",
        period="month",
        compared="the same days of the month before and of that month a year before",
    ),
)
