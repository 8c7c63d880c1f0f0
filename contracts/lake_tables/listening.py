"""Tables of listening: sessions, the statistics of a show's day, and which shows are trending."""

from __future__ import annotations

from contracts.lake import LakeTable
from contracts.model import Column

_OWNER = "data platform"

SESSIONS = LakeTable(
    name="sessions",
    version=1,
    owner=_OWNER,
    description="Listening sessions: a listener with one show, without a gap of more than 30 minutes.",
    grain="one row for each session",
    columns=(
        Column(
            path="session_key",
            type="string",
            description="SHA-256 of listener_key, show_id and started_at; the first 32 hex digits.",
        ),
        Column(
            path="listener_key",
            type="string",
            description="Key of the listener: of the person where signed in, else of the device.",
        ),
        Column(path="show_id", type="string", description="The show."),
        Column(path="started_at", type="timestamp", description="Start of the first interval that was heard."),
        Column(path="ended_at", type="timestamp", description="End of the last interval that was heard."),
        Column(path="listened_ms", type="bigint", description="Time heard, in milliseconds."),
        Column(path="intervals", type="bigint", description="Playback intervals that it is made of."),
        Column(path="playbacks", type="bigint", description="Distinct playbacks among them."),
        Column(path="stalls", type="bigint", description="How often playing stopped for want of data."),
        Column(path="device_os", type="string", description="Operating system at its start."),
        Column(path="app_version", type="string", description="Version of the app at its start."),
    ),
    key=("session_key",),
    partition=("days(started_at)",),
    sort=("show_id", "started_at"),
    freshness_hours=26,
    retention_days=1_095,
)

SHOW_STATISTICS_DAILY = LakeTable(
    name="show_statistics_daily",
    version=1,
    owner=_OWNER,
    description="What happened in each show on each day (UTC).",
    grain="one row for each show and day on which anything happened",
    columns=(
        Column(path="day", type="date", description="The UTC day."),
        Column(path="show_id", type="string", description="The show."),
        Column(path="listeners", type="bigint", description="Distinct listeners."),
        Column(path="sessions", type="bigint", description="Sessions that started on the day."),
        Column(
            path="peak_concurrency",
            type="bigint",
            description="Most listeners whose heard intervals overlap at one moment of the day.",
        ),
        Column(path="minutes_listened", type="decimal(18,3)", description="Time heard on the day, in minutes."),
        Column(path="likes", type="bigint", description="Taps of like events."),
        Column(path="calls", type="bigint", description="Calls that were requested."),
        Column(path="chat_messages", type="bigint", description="Chat messages."),
        Column(path="follows_gained", type="bigint", description="Follows minus unfollows of the show."),
        Column(path="poll_votes", type="bigint", description="Votes in polls."),
    ),
    key=("day", "show_id"),
    partition=("day",),
    sort=("show_id",),
    freshness_hours=26,
)

TRENDING_SHOWS = LakeTable(
    name="trending_shows",
    version=1,
    owner=_OWNER,
    description="Shows ranked by recent activity, as of the end of each hour, over the last hours and the last days.",
    grain="one row for each show, window and hour",
    columns=(
        Column(path="as_of", type="timestamp", description="End of the window, a full hour."),
        Column(path="window_hours", type="int", description="Length of the window in hours: 6 or 168."),
        Column(path="rank", type="int", description="1 is the most trending; equal scores go by show_id."),
        Column(path="show_id", type="string", description="The show."),
        Column(
            path="score",
            type="double",
            description="Activity that halves in weight every quarter of the window; docs tell the formula.",
        ),
        Column(path="listeners", type="bigint", description="Distinct listeners in the window."),
        Column(path="minutes_listened", type="decimal(18,3)", description="Time heard in the window, in minutes."),
        Column(path="likes", type="bigint", description="Taps of like events in the window."),
    ),
    key=("as_of", "window_hours", "show_id"),
    partition=("days(as_of)",),
    sort=("window_hours", "rank"),
    freshness_hours=2,
    retention_days=400,
)
