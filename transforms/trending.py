"""Which shows are trending, by a score that recent activity of many listeners lifts; reads and writes no table.

Activity is counted by listener, show and UTC hour. In an hour a listener is worth to a show

    points = minutes heard + 0.2 × taps of likes (at most 20) + 2 × calls requested (at most 2)
             + 0.5 × chat messages (at most 10) + 5 when the show was followed

An hour that ended `age` hours before `as_of` weighs 0.5 ^ (age / (window / 4)): its weight halves every quarter of the
window. The score of a show is the sum over its listeners of the weighted points, of which no listener brings more than
60: an hour of undivided attention. So who plays, taps and chats all day, or pretends to, lifts a show as much as one
interested listener, and a thousand listeners a thousand times as much. Activity of nobody (neither person nor device is
known) has no score. Points are kept in whole millionths, so that equal input gives equal scores in whatever order it is
added.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F  # noqa: N812 - the name that all of Spark's documentation uses

from contracts.lake_tables.listening import TRENDING_SHOWS
from transforms.shape import shaped
from transforms.statistics import minutes

WINDOWS_HOURS = (6, 168)
"""The last hours and the last days."""
POINTS_PER_MINUTE, POINTS_PER_TAP, POINTS_PER_CALL, POINTS_PER_MESSAGE, POINTS_PER_FOLLOW = 1.0, 0.2, 2.0, 0.5, 5.0
MAX_TAPS, MAX_CALLS, MAX_MESSAGES = 20, 2, 10
"""What counts of one listener in one show and hour."""
MAX_POINTS_OF_A_LISTENER = 60
"""What one listener brings a show at most, in each window."""

_MILLION = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Activity:
    """What trending is counted from: heard intervals, and the shared event tables by their names."""

    heard: DataFrame
    like: DataFrame
    call_in: DataFrame
    chat_message: DataFrame
    follow: DataFrame


def hourly_activity(activity: Activity) -> DataFrame:
    """What each listener did in each show and hour: show_id, listener_key, hour_end, heard_ms, taps, calls, messages,
    follows. An interval belongs to the hour in which it ended."""
    kinds = (
        activity.heard.select("show_id", "listener_key", F.col("ended_at").alias("at"), "heard_ms"),
        _done(activity.like, "taps", F.greatest(F.coalesce("like_count", F.lit(1)), F.lit(0))),
        _done(activity.call_in.where("call_state = 'requested'"), "calls", F.lit(1)),
        _done(activity.chat_message, "messages", F.lit(1)),
        _done(
            activity.follow.where("follow_target_kind = 'show' AND follow_action = 'follow'").withColumn(
                "show_id", F.col("follow_target_id")
            ),
            "follows",
            F.lit(1),
        ),
    )
    rows = kinds[0]
    for kind in kinds[1:]:
        rows = rows.unionByName(kind, allowMissingColumns=True)
    hour_end = F.date_trunc("hour", "at") + F.expr("INTERVAL 1 HOUR")
    return (
        rows.where("show_id IS NOT NULL")
        .groupBy("show_id", "listener_key", hour_end.alias("hour_end"))
        .agg(*(F.coalesce(F.sum(name), F.lit(0)).cast("bigint").alias(name) for name in _COUNTED))
    )


def trending_shows(hourly: DataFrame, *, as_of: Sequence[datetime]) -> DataFrame:
    """Ranks as of each of the full hours `as_of` (UTC), shaped as `transformed.trending_shows`.

    A rank is right when `hourly` holds the whole of the longest window before it.
    """
    hours = ", ".join(f"TIMESTAMP '{moment:%Y-%m-%d %H:%M:%S}'" for moment in as_of)
    windows = ", ".join(str(hours) for hours in WINDOWS_HOURS)
    in_windows = (
        hourly.withColumn("points", _points())
        .withColumn("as_of", F.explode(F.expr(f"array({hours})")))
        .withColumn("window_hours", F.explode(F.expr(f"array({windows})")))
        .withColumn("age", F.expr("(unix_seconds(as_of) - unix_seconds(hour_end)) div 3600"))
        .where("age >= 0 AND age < window_hours")
    )
    weighted = F.round(F.col("points") * F.pow(F.lit(0.5), F.expr("age / (window_hours / 4)")) * _MILLION)
    by_listener = in_windows.groupBy("as_of", "window_hours", "show_id", "listener_key").agg(
        F.sum(weighted.cast("bigint")).alias("millionths"),
        F.sum("heard_ms").alias("heard_ms"),
        F.sum("taps").alias("likes"),
    )
    known = F.col("listener_key").isNotNull()
    capped = F.least("millionths", F.lit(MAX_POINTS_OF_A_LISTENER * _MILLION))
    by_show = by_listener.groupBy("as_of", "window_hours", "show_id").agg(
        (F.sum(F.when(known, capped).otherwise(0)) / _MILLION).alias("score"),
        F.count(F.when(known & (F.col("heard_ms") > 0), True)).alias("listeners"),
        F.sum("heard_ms").alias("heard_ms"),
        F.sum("likes").alias("likes"),
    )
    order = Window.partitionBy("as_of", "window_hours").orderBy(F.desc("score"), "show_id")
    ranked = by_show.withColumn("rank", F.row_number().over(order)).withColumn("minutes_listened", minutes("heard_ms"))
    return shaped(ranked, TRENDING_SHOWS)


_COUNTED = ("heard_ms", "taps", "calls", "messages", "follows")


def _done(events: DataFrame, name: str, count: Column) -> DataFrame:
    return events.select(
        "show_id",
        F.coalesce("user_key", "device_key").alias("listener_key"),
        F.col("occurred_at").alias("at"),
        count.alias(name),
    )


def _points() -> Column:
    return (
        F.col("heard_ms") / 60_000 * POINTS_PER_MINUTE
        + F.least("taps", F.lit(MAX_TAPS)) * POINTS_PER_TAP
        + F.least("calls", F.lit(MAX_CALLS)) * POINTS_PER_CALL
        + F.least("messages", F.lit(MAX_MESSAGES)) * POINTS_PER_MESSAGE
        + F.least("follows", F.lit(1)) * POINTS_PER_FOLLOW
    )
