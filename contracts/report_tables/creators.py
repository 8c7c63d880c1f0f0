"""What creators are told of their shows; computes nothing."""

from __future__ import annotations

from contracts.model import Column
from contracts.report import DAY, ReportTable

CREATOR_SCORECARD = ReportTable(
    name="creator_scorecard",
    version=1,
    owner="data platform",
    description=(
        "What each creator's shows were worth to listeners in the 28 days up to the day, against the 28 before. "
        "A show is its creator's at the day's end, with all that it had in these days."
    ),
    grain="one row for each creator who has a show, or was followed in the 28 days",
    columns=(
        DAY,
        Column(path="creator_key", type="string", description="Key of the creator."),
        Column(path="shows", type="bigint", description="Shows at the day's end."),
        Column(path="shows_live", type="bigint", description="Of these, shows whose status is live."),
        Column(path="shows_heard", type="bigint", description="Of these, shows of which anything was heard."),
        Column(path="days_heard", type="bigint", description="Days on which anything was heard, of 28."),
        Column(path="listeners", type="bigint", description="Distinct listeners of sessions that started."),
        Column(
            path="listeners_new",
            type="bigint",
            description="Of these, listeners who had not heard the creator in the 28 days before.",
        ),
        Column(
            path="listeners_before",
            type="bigint",
            description="Distinct listeners of the 28 days before; null where the data do not reach as far back.",
        ),
        Column(
            path="listeners_on_several_days_share",
            type="double",
            description="Share of the listeners who started sessions on two days or more.",
        ),
        Column(path="sessions", type="bigint", description="Listening sessions that started."),
        Column(path="minutes_listened", type="decimal(18,3)", description="Time heard, in minutes."),
        Column(
            path="minutes_listened_before",
            type="decimal(18,3)",
            description="Time heard in the 28 days before; null where the data do not reach as far back.",
        ),
        Column(
            path="minutes_per_listener", type="double", description="Minutes over listeners; null without a listener."
        ),
        Column(
            path="peak_concurrency_of_a_show", type="bigint", description="Most listeners of one show at one moment."
        ),
        Column(path="likes", type="bigint", description="Taps of like events."),
        Column(path="calls", type="bigint", description="Calls that were requested."),
        Column(path="chat_messages", type="bigint", description="Chat messages."),
        Column(path="poll_votes", type="bigint", description="Votes in polls."),
        Column(path="follows_gained", type="bigint", description="Follows minus unfollows of the creator's shows."),
        Column(path="creator_follows_gained", type="bigint", description="Follows minus unfollows of the creator."),
    ),
    key=("day", "creator_key"),
)

CREATOR_TABLES = (CREATOR_SCORECARD,)
