"""Engagement: who comes, who comes back, and what leads to listening and following; computes nothing."""

from __future__ import annotations

from contracts.model import Column
from contracts.report import DAY, ReportTable

_OWNER = "growth team"

ENGAGEMENT_DAILY = ReportTable(
    name="engagement_daily",
    version=1,
    owner=_OWNER,
    description="How many listeners were active on the day and in the days before it, and how much they heard.",
    grain="one row for each day, also one on which nothing happened",
    columns=(
        DAY,
        Column(
            path="daily_active",
            type="bigint",
            description="Listeners who opened the app or heard something on the day.",
        ),
        Column(path="weekly_active", type="bigint", description="Listeners who did in the 7 days up to the day."),
        Column(path="monthly_active", type="bigint", description="Listeners who did in the 28 days up to the day."),
        Column(path="stickiness_share", type="double", description="Daily active of monthly active listeners."),
        Column(
            path="days_with_activity",
            type="bigint",
            description="Of these 28 days, days on which anybody was active; less than 28 make a part of a month.",
        ),
        Column(path="app_opens", type="bigint", description="How often the app was opened."),
        Column(path="listeners", type="bigint", description="Listeners who heard something on the day."),
        Column(path="listening_share", type="double", description="Listeners of daily active listeners."),
        Column(path="sessions", type="bigint", description="Listening sessions that started on the day."),
        Column(path="minutes_listened", type="decimal(18,3)", description="Time heard on the day, in minutes."),
        Column(
            path="minutes_per_listener",
            type="double",
            description="Minutes for each listener; null where there was none.",
        ),
        Column(
            path="sessions_per_listener",
            type="double",
            description="Sessions for each listener; null where there was none.",
        ),
    ),
    key=("day",),
)


def _returned(days: int) -> tuple[Column, ...]:
    return (
        Column(
            path=f"returned_day_{days}",
            type="bigint",
            description=f"Of these, active on day {days} after the first; null until that day is there.",
        ),
        Column(
            path=f"day_{days}_share",
            type="double",
            description=f"Returned on day {days} of new listeners; null until that day is there.",
        ),
    )


RETENTION = ReportTable(
    name="retention",
    version=1,
    owner=_OWNER,
    description="Of the listeners who came for the first time, how many were active again 1, 7 and 28 days later.",
    grain="one row for each day and each first day (cohort) among it and the 28 days before it that had new listeners",
    columns=(
        DAY,
        Column(path="cohort_day", type="date", description="First day on which the listeners were active."),
        Column(
            path="days_of_data_before",
            type="bigint",
            description="Days that the lake's data begin before it; where few, old listeners pass as new ones.",
        ),
        Column(path="new_listeners", type="bigint", description="Listeners who were active for the first time."),
        *_returned(1),
        *_returned(7),
        *_returned(28),
    ),
    key=("day", "cohort_day"),
)

FUNNEL_DAILY = ReportTable(
    name="funnel_daily",
    version=1,
    owner=_OWNER,
    description="How many listeners opened the app, then heard something, then followed somebody, on one day.",
    grain="one row for each day, also one on which nothing happened",
    columns=(
        DAY,
        Column(path="opened", type="bigint", description="Listeners who opened the app."),
        Column(path="listened", type="bigint", description="Of these, listeners who heard something after it."),
        Column(
            path="followed", type="bigint", description="Of these, listeners who followed a creator or show after it."
        ),
        Column(path="listened_share", type="double", description="Listened of opened."),
        Column(path="followed_share", type="double", description="Followed of listened."),
        Column(path="open_to_follow_share", type="double", description="Followed of opened."),
    ),
    key=("day",),
)

NOTIFICATION_PATH = ReportTable(
    name="notification_path",
    version=1,
    owner=_OWNER,
    description=(
        "Notifications whose 150 minutes ended on the day: how many were opened within 120 minutes of delivery, and "
        "led to listening within 30 minutes of opening."
    ),
    grain="one row for each day, kind and channel of notifications; one notification to one listener counts once",
    columns=(
        DAY,
        Column(
            path="kind", type="string", description="What the notification was about; unknown where it did not say."
        ),
        Column(path="channel", type="string", description="How it was sent; unknown where it did not say."),
        Column(path="delivered", type="bigint", description="Notifications that reached a listener."),
        Column(path="opened", type="bigint", description="Of these, opened by the listener within 120 minutes."),
        Column(
            path="listened",
            type="bigint",
            description="Of these, followed by something heard within 30 minutes of opening.",
        ),
        Column(path="opened_share", type="double", description="Opened of delivered."),
        Column(path="listened_share", type="double", description="Listened of opened."),
        Column(path="delivery_to_listen_share", type="double", description="Listened of delivered."),
    ),
    key=("day", "kind", "channel"),
)

ENGAGEMENT_TABLES = (ENGAGEMENT_DAILY, RETENTION, FUNNEL_DAILY, NOTIFICATION_PATH)
