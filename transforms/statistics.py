"""What happened in each show on each UTC day, from the events of those days; reads and writes no table."""

from __future__ import annotations

from dataclasses import dataclass

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F  # noqa: N812 - the name that all of Spark's documentation uses

from contracts.lake_tables.listening import SHOW_STATISTICS_DAILY
from transforms.listening import merged
from transforms.shape import shaped

_SHOW_DAY = ("show_id", "day")


@dataclass(frozen=True, kw_only=True)
class Activity:
    """What the statistics are counted from: heard intervals, sessions, and the shared event tables by their names."""

    heard: DataFrame
    sessions: DataFrame
    like: DataFrame
    call_in: DataFrame
    chat_message: DataFrame
    follow: DataFrame
    poll_vote: DataFrame


def heard_by_day(intervals: DataFrame) -> DataFrame:
    """Heard intervals, each cut at midnights (UTC): the pieces of a day add up to what was heard on it."""
    days = F.expr("sequence(to_date(started_at), to_date(ended_at - INTERVAL 1 MICROSECOND))")
    begins = F.col("day").cast("timestamp")
    return (
        intervals.withColumn("day", F.explode(days))
        .withColumn("started_at", F.greatest("started_at", begins))
        .withColumn("ended_at", F.least("ended_at", begins + F.expr("INTERVAL 1 DAY")))
        .withColumn("heard_ms", F.expr("(unix_micros(ended_at) - unix_micros(started_at)) div 1000"))
    )


def peak_concurrency(pieces: DataFrame) -> DataFrame:
    """Most listeners at one moment: show_id, day, peak_concurrency, of pieces of heard intervals (`heard_by_day`).

    A listener counts once however many devices play. Who ends at the instant at which another begins does not overlap.
    """
    alone = merged(pieces.where("listener_key IS NOT NULL"), *_SHOW_DAY, "listener_key")
    steps = alone.select(
        *_SHOW_DAY,
        F.explode(
            F.array(
                F.struct(F.col("started_at").alias("at"), F.lit(1).alias("step")),
                F.struct(F.col("ended_at").alias("at"), F.lit(-1).alias("step")),
            )
        ).alias("edge"),
    )
    at_instant = steps.groupBy(*_SHOW_DAY, F.col("edge.at").alias("at")).agg(F.sum("edge.step").alias("step"))
    listening = F.sum("step").over(Window.partitionBy(*_SHOW_DAY).orderBy("at"))
    return (
        at_instant.withColumn("listening", listening)
        .groupBy(*_SHOW_DAY)
        .agg(F.max("listening").alias("peak_concurrency"))
    )


def show_statistics(activity: Activity) -> DataFrame:
    """A row for each show and day on which anything happened, shaped as `transformed.show_statistics_daily`.

    The caller picks the days afterwards: a day is right when `activity` holds all that happened on it, for playback
    also what was reported up to `MAX_INTERVAL_HOURS` after its end.
    """
    pieces = heard_by_day(activity.heard)
    counted = (
        pieces.groupBy(*_SHOW_DAY).agg(
            F.countDistinct("listener_key").alias("listeners"), F.sum("heard_ms").alias("heard_ms")
        ),
        peak_concurrency(pieces),
        activity.sessions.groupBy("show_id", F.to_date("started_at").alias("day")).agg(F.count("*").alias("sessions")),
        _daily(activity.like, "likes", F.sum(F.greatest(F.coalesce("like_count", F.lit(1)), F.lit(0)))),
        _daily(activity.call_in.where("call_state = 'requested'"), "calls", F.countDistinct("call_id")),
        _daily(activity.chat_message, "chat_messages", F.countDistinct("message_id")),
        _daily(
            activity.follow.where("follow_target_kind = 'show'").withColumnRenamed("follow_target_id", "show_id"),
            "follows_gained",
            F.sum(F.expr("CASE follow_action WHEN 'follow' THEN 1 WHEN 'unfollow' THEN -1 ELSE 0 END")),
        ),
        _daily(activity.poll_vote, "poll_votes", F.count("*")),
    )
    joined = counted[0]
    for counts in counted[1:]:
        joined = joined.join(counts, [*_SHOW_DAY], how="full")
    named = joined.where("show_id IS NOT NULL").withColumn("minutes_listened", minutes("heard_ms"))
    return shaped(named.fillna(0, subset=_COUNTS), SHOW_STATISTICS_DAILY)


def minutes(milliseconds: str) -> Column:
    """Milliseconds as minutes of three decimals, halves rounded up; null counts as none."""
    return F.expr(f"CAST(((coalesce({milliseconds}, 0) + 30) div 60) * 0.001BD AS decimal(18,3))")


_COUNTS = [column.name for column in SHOW_STATISTICS_DAILY.columns if column.type == "bigint"]


def _daily(events: DataFrame, name: str, count: Column) -> DataFrame:
    return events.groupBy("show_id", F.to_date("occurred_at").alias("day")).agg(count.alias(name))
