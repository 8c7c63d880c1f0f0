"""Trending shows, near-real-time and settled; computes nothing."""

from __future__ import annotations

from contracts.model import Column
from contracts.report import DAY, ReportTable

_OWNER = "discovery team"
_RANKS = (
    DAY,
    Column(path="as_of", type="timestamp", description="End of the six hours that the row tells of, in UTC."),
    Column(
        path="rank", type="int", description="1 is first: trending shows by their score, then the others by theirs."
    ),
    Column(path="show_id", type="string", description="The show."),
    Column(
        path="is_trending",
        type="boolean",
        description="True where at least 20 listen and activity is at least twice the usual; the list shows these.",
    ),
    Column(
        path="trending_score",
        type="double",
        description="How far activity lies above what is expected, in units of its spread; null where none is known.",
    ),
    Column(
        path="lift",
        type="double",
        description="Activity over what is expected, 120 points added to both, so that little activity has one near 1.",
    ),
    Column(
        path="activity",
        type="double",
        description="Faded points (half-life 90 minutes) of those who heard a minute or more, at most 60 of each.",
    ),
    Column(
        path="expected_activity",
        type="double",
        description="The show's usual share at this hour of the week of as much activity as there is now.",
    ),
    Column(
        path="usual_weeks",
        type="bigint",
        description="Of the four weeks before, weeks with any activity at this hour; where 0, nothing trends.",
    ),
    Column(path="listeners", type="bigint", description="Listeners who heard the show for a minute or more."),
    Column(path="minutes_listened", type="decimal(18,3)", description="Time heard in the six hours, in minutes."),
    Column(
        path="activity_of_all",
        type="double",
        description="Faded points of all listeners: the score of transformed.trending_shows over six hours.",
    ),
)

TRENDING_NOW = ReportTable(
    name="trending_now",
    version=1,
    owner=_OWNER,
    description="Shows that rise right now, from events that arrived a minute or two ago; as of any moment.",
    grain="one row for each of the first 100 shows of the day's latest run",
    columns=_RANKS,
    key=("day", "as_of", "show_id"),
    freshness_hours=1,
)

TRENDING_SETTLED = ReportTable(
    name="trending_settled",
    version=1,
    owner=_OWNER,
    description="Shows that rose, as of each full hour of the day, from the lake's tables with what came late.",
    grain="one row for each of the first 100 shows of each full hour",
    columns=_RANKS,
    key=("day", "as_of", "show_id"),
)

TRENDING_TABLES = (TRENDING_NOW, TRENDING_SETTLED)
