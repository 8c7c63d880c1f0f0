"""Listening: playback intervals into heard intervals and sessions; reads and writes no table.

A playback event reports the interval that ended at its `occurred_at` and in which `listened_ms` were heard. A session
is what one listener hears of one show without a gap of more than 30 minutes between the latest end so far and the next
start. `docs/decisions/0019-sessions-concurrency-and-trending.md` gives the reasons.
"""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F  # noqa: N812 - the name that all of Spark's documentation uses
from pyspark.sql.window import WindowSpec

from contracts.lake_tables.listening import SESSIONS
from transforms.shape import shaped

SESSION_GAP_MINUTES = 30
"""A longer silence between two intervals begins a new session; one of exactly this length does not."""
MAX_INTERVAL_HOURS = 12
"""No interval is taken to be longer: a player that reports more has lost count, and counts as this much."""

_LISTENER_SHOW = ("listener_key", "show_id")


def heard(playback: DataFrame) -> DataFrame:
    """Intervals in which something was heard, one row for each playback event that heard anything.

    Columns: event_id, listener_key (the person's where signed in, else the device's; null where neither is known),
    show_id, started_at, ended_at, heard_ms, playback_id, stalls, device_os, app_version. `heard_ms` is the
    length of the interval, `arrived_at` when its event arrived.
    """
    longest = MAX_INTERVAL_HOURS * 3_600_000
    return (
        playback.where("playback_listened_ms > 0 AND show_id IS NOT NULL AND occurred_at IS NOT NULL")
        .withColumn("heard_ms", F.least(F.col("playback_listened_ms"), F.lit(longest)))
        .select(
            "event_id",
            F.coalesce("user_key", "device_key").alias("listener_key"),
            "show_id",
            F.expr("timestamp_micros(unix_micros(occurred_at) - heard_ms * 1000)").alias("started_at"),
            F.col("occurred_at").alias("ended_at"),
            "heard_ms",
            "arrived_at",
            "playback_id",
            F.coalesce("playback_stalls", F.lit(0)).alias("stalls"),
            "device_os",
            "app_version",
        )
    )


def touched_listening(new: DataFrame) -> DataFrame:
    """Which listeners' shows the new intervals touch, and where: listener_key, show_id, from_at, until_at.

    Both ends are widened by the gap that separates sessions, so that every session which a new interval could extend
    or join overlaps them.
    """
    return (
        new.where("listener_key IS NOT NULL")
        .groupBy(*_LISTENER_SHOW)
        .agg((F.min("started_at") - _gap()).alias("from_at"), (F.max("ended_at") + _gap()).alias("until_at"))
    )


def touched_days(new: DataFrame) -> DataFrame:
    """The UTC days (day) whose statistics new intervals change.

    The day on which a session began that the interval now precedes is one of them.
    """
    return new.select(
        F.explode(F.sequence(F.to_date("started_at"), F.to_date(F.col("ended_at") + _gap()))).alias("day")
    ).distinct()


def touched_sessions(sessions: DataFrame, touched: DataFrame) -> DataFrame:
    """The existing sessions that the touched stretches reach: they are made again."""
    return sessions.join(touched, [*_LISTENER_SHOW], how="inner").where(
        "started_at <= until_at AND ended_at >= from_at"
    )


def widened(touched: DataFrame, existing: DataFrame) -> DataFrame:
    """The touched stretches, widened to the whole of each existing session that they reach.

    A session has no interval outside of its start and end. So the stretch holds every interval of the sessions that are
    made again, however long ago the oldest began: no look-back has to be guessed.
    """
    reached = existing.groupBy(*_LISTENER_SHOW).agg(
        F.min("started_at").alias("reached_from"), F.max("ended_at").alias("reached_until")
    )
    return touched.join(reached, [*_LISTENER_SHOW], how="left").select(
        *_LISTENER_SHOW,
        F.least("from_at", "reached_from").alias("from_at"),
        F.greatest("until_at", "reached_until").alias("until_at"),
    )


def within(intervals: DataFrame, stretches: DataFrame) -> DataFrame:
    """The intervals that lie wholly in their listener's and show's stretch."""
    return (
        intervals.join(stretches, [*_LISTENER_SHOW], how="inner")
        .where("started_at >= from_at AND ended_at <= until_at")
        .drop("from_at", "until_at")
    )


def sessions(intervals: DataFrame) -> DataFrame:
    """Sessions of heard intervals (`heard`), shaped as `transformed.sessions`; intervals of nobody make none."""
    in_order = _in_order(*_LISTENER_SHOW)
    first = F.struct("started_at", "ended_at", "event_id")
    grouped = (
        intervals.where("listener_key IS NOT NULL")
        .withColumn("begins", begins_session(*_LISTENER_SHOW))
        .withColumn("number", F.sum(F.col("begins").cast("int")).over(in_order))
        .groupBy(*_LISTENER_SHOW, "number")
        .agg(
            F.min("started_at").alias("started_at"),
            F.max("ended_at").alias("ended_at"),
            F.sum("heard_ms").alias("listened_ms"),
            F.count("*").alias("intervals"),
            F.countDistinct("playback_id").alias("playbacks"),
            F.sum("stalls").alias("stalls"),
            F.min_by("device_os", first).alias("device_os"),
            F.min_by("app_version", first).alias("app_version"),
        )
    )
    return shaped(grouped.withColumn("session_key", _session_key()), SESSIONS)


def begins_session(*by: str) -> Column:
    """Whether an interval begins a session, among the intervals with equal values of `by`."""
    latest_end = F.max("ended_at").over(_in_order(*by).rowsBetween(Window.unboundedPreceding, -1))
    return F.coalesce(F.col("started_at") > latest_end + _gap(), F.lit(True))


def merged(intervals: DataFrame, *by: str) -> DataFrame:
    """Intervals that overlap or touch, joined into one, within equal values of `by`: by, started_at, ended_at."""
    in_order = Window.partitionBy(*by).orderBy("started_at", "ended_at")
    latest_end = F.max("ended_at").over(in_order.rowsBetween(Window.unboundedPreceding, -1))
    return (
        intervals.withColumn("begins", F.coalesce(F.col("started_at") > latest_end, F.lit(True)))
        .withColumn("number", F.sum(F.col("begins").cast("int")).over(in_order))
        .groupBy(*by, "number")
        .agg(F.min("started_at").alias("started_at"), F.max("ended_at").alias("ended_at"))
        .drop("number")
    )


def _in_order(*by: str) -> WindowSpec:
    return Window.partitionBy(*by).orderBy("started_at", "ended_at", "event_id")


def _gap() -> Column:
    return F.expr(f"INTERVAL {SESSION_GAP_MINUTES} MINUTES")


def _session_key() -> Column:
    text = F.concat_ws("|", "listener_key", "show_id", F.expr("unix_micros(started_at)").cast("string"))
    return F.substring(F.sha2(text, 256), 1, 32)
