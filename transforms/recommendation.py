"""The data set `show_recommendation`: listeners with candidate shows as of moments; reads and writes no table.

Candidates of a listener who heard anything within the feature window are the shows that the listener heard in it, the
shows that the listener follows, those of followed creators, and the 20 shows with most listeners; shows that were
withdrawn are none. All of that is as it was known at the moment: what happens later brings no row and takes none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F  # noqa: N812 - the name that all of Spark's documentation uses

from contracts.data_sets import Period
from contracts.lake_tables.data_sets import SHOW_RECOMMENDATION
from transforms import listening, point_in_time, shows
from transforms.shape import shaped

POPULAR_CANDIDATES = 20
"""Shows with most listeners that are candidates of everybody."""
RECENT_DAYS = 7
"""What the `show_recent_*` features look back."""
LISTENED_MINUTES = 5
"""As much, or more, is a show that was listened to."""

_LISTENER, _SHOW = ("as_of", "listener_key"), ("as_of", "show_id")
_PAIR = ("as_of", "listener_key", "show_id")


@dataclass(frozen=True, kw_only=True)
class Events:
    """The shared event tables that the data set is made from, by their names."""

    playback_metric: DataFrame
    like: DataFrame
    call_in: DataFrame
    chat_message: DataFrame
    follow: DataFrame
    show_impression: DataFrame
    show_catalog_entry: DataFrame


def show_recommendation(events: Events, *, period: Period) -> DataFrame:
    """The rows of the period's moments, shaped as the data set `show_recommendation`.

    They are right when `events` hold what happened in the feature window before the first moment and since, of `follow`
    and `show_catalog_entry` all there is.
    """
    moments = SHOW_RECOMMENDATION.moments(period)
    heard = listening.heard(events.playback_metric).withColumn("occurred_at", F.col("ended_at"))
    catalog = _catalog(events.show_catalog_entry, moments)
    # Looked at eight times; whoever runs this frees it.
    pairs = _pairs(heard, moments).join(catalog, [*_SHOW], how="left").persist()
    of_show, of_creator, of_listener = _of_show(pairs), _of_creator(pairs), _of_listener(pairs)
    follows = _follows(events.follow, moments)
    of_topic = _heard_by(pairs, "show_topic", "topic_ms")
    of_their_creator = _heard_by(pairs, "creator_key", "of_creator_ms")
    rows = (
        _candidates(pairs, of_show, of_listener, follows, catalog)
        .join(catalog, [*_SHOW], how="left")
        .where("show_status IS NULL OR show_status <> 'withdrawn'")
        .join(of_show, [*_SHOW], how="left")
        .join(of_creator, ["as_of", "creator_key"], how="left")
        .join(of_listener, [*_LISTENER], how="inner")
        .join(of_topic, [*_LISTENER, "show_topic"], how="left")
        .join(of_their_creator, [*_LISTENER, "creator_key"], how="left")
        .join(_of(follows, "show", "show_id", "follows_show"), [*_PAIR], how="left")
        .join(_of(follows, "creator", "creator_key", "follows_creator"), [*_LISTENER, "creator_key"], how="left")
        .join(pairs.select(*_PAIR, "pair_sessions", "pair_ms", "pair_heard_at"), [*_PAIR], how="left")
        .join(_reactions(events, moments), [*_PAIR], how="left")
    )
    return shaped(_labelled(rows, events, heard, moments).withColumns(_computed(period)), SHOW_RECOMMENDATION)


def _catalog(entries: DataFrame, moments: Sequence[datetime]) -> DataFrame:
    """Each show as the catalog had described it: as_of, show_id, the `show_*` columns of a row, creator_key."""
    newest = F.struct("valid_from", "show_version", "arrived_at", "event_id")
    told = F.struct("show_topics", "show_language", "show_explicit", "show_status", "show_created_at", "creator_key")
    entry = F.col("entry")
    return (
        point_in_time.before(shows.dated(entries), moments, days=None)
        .where("valid_from < as_of")
        .withColumn("creator_key", F.col("show_creator_key"))
        .groupBy(*_SHOW)
        .agg(F.max_by(told, newest).alias("entry"))
        .select(
            *_SHOW,
            F.get(entry["show_topics"], F.lit(0)).alias("show_topic"),
            *(entry[name].alias(name) for name in ("show_language", "show_explicit", "show_status", "creator_key")),
            ((F.unix_micros("as_of") - F.unix_micros(entry["show_created_at"])) / 86_400_000_000).alias(
                "show_age_days"
            ),
        )
    )


def _pairs(heard: DataFrame, moments: Sequence[datetime]) -> DataFrame:
    """What was heard of each show by each listener, and by nobody who is known (listener_key null)."""
    recent = F.col("ended_at") >= F.col("as_of") - F.expr(f"INTERVAL {RECENT_DAYS} DAYS")
    return (
        point_in_time.before(heard, moments, days=SHOW_RECOMMENDATION.feature_days)
        .withColumn("begins", listening.begins_session(*_PAIR))
        .groupBy(*_PAIR)
        .agg(
            F.sum("heard_ms").alias("pair_ms"),
            F.sum(F.when(recent, F.col("heard_ms")).otherwise(0)).alias("recent_ms"),
            F.count_if("begins").alias("pair_sessions"),
            F.max("ended_at").alias("pair_heard_at"),
        )
    )


def _of_show(pairs: DataFrame) -> DataFrame:
    known = F.col("listener_key").isNotNull()
    return pairs.groupBy(*_SHOW).agg(
        F.count("listener_key").alias("show_listeners"),
        F.sum("pair_ms").alias("show_ms"),
        F.count_if(known & (F.col("recent_ms") > 0)).alias("show_recent_listeners"),
        F.sum("recent_ms").alias("show_recent_ms"),
        F.max("pair_heard_at").alias("show_heard_at"),
    )


def _of_creator(pairs: DataFrame) -> DataFrame:
    return (
        pairs.where("creator_key IS NOT NULL")
        .groupBy("as_of", "creator_key")
        .agg(
            F.count_distinct("show_id").alias("creator_shows"),
            F.count_distinct("listener_key").alias("creator_listeners"),
            F.sum("pair_ms").alias("creator_ms"),
        )
    )


def _of_listener(pairs: DataFrame) -> DataFrame:
    return (
        pairs.where("listener_key IS NOT NULL")
        .groupBy(*_LISTENER)
        .agg(
            F.sum("pair_sessions").alias("listener_sessions"),
            F.count("*").alias("listener_shows"),
            F.sum("pair_ms").alias("listener_ms"),
            F.max("pair_heard_at").alias("listener_heard_at"),
        )
    )


def _heard_by(pairs: DataFrame, column: str, name: str) -> DataFrame:
    """Milliseconds that each listener heard of each value of a column."""
    known = pairs.where(F.col("listener_key").isNotNull() & F.col(column).isNotNull())
    return known.groupBy(*_LISTENER, column).agg(F.sum("pair_ms").alias(name))


def _follows(follow: DataFrame, moments: Sequence[datetime]) -> DataFrame:
    """What each listener was following: as_of, listener_key, kind, target."""
    newest = F.max_by("follow_action", F.struct("occurred_at", "event_id"))
    return (
        point_in_time.before(_targets(follow), moments, days=None)
        .groupBy(*_LISTENER, "kind", "target")
        .agg(newest.alias("action"))
        .where("action = 'follow'")
        .drop("action")
    )


def _targets(follow: DataFrame) -> DataFrame:
    return follow.select(
        "event_id",
        "occurred_at",
        "arrived_at",
        _listener().alias("listener_key"),
        F.col("follow_target_kind").alias("kind"),
        F.coalesce("follow_target_id", "follow_target_key").alias("target"),
        "follow_action",
    ).where("listener_key IS NOT NULL")


def _of(follows: DataFrame, kind: str, column: str, name: str) -> DataFrame:
    """The follows of one kind, their target as `column`, marked by a true column `name`."""
    return follows.where(F.col("kind") == kind).select(
        *_LISTENER, F.col("target").alias(column), F.lit(True).alias(name)
    )


def _candidates(
    pairs: DataFrame, of_show: DataFrame, of_listener: DataFrame, follows: DataFrame, catalog: DataFrame
) -> DataFrame:
    listeners = of_listener.select(*_LISTENER)
    in_order = Window.partitionBy("as_of").orderBy(F.desc("show_listeners"), F.desc("show_ms"), "show_id")
    popular = of_show.withColumn("rank", F.row_number().over(in_order)).where(F.col("rank") <= POPULAR_CANDIDATES)
    creators = _of(follows, "creator", "creator_key", "followed")
    kinds = (
        pairs.where("listener_key IS NOT NULL").select(*_PAIR),
        listeners.join(F.broadcast(popular.select(*_SHOW)), "as_of", how="inner").select(*_PAIR),
        _of(follows, "show", "show_id", "followed").join(listeners, [*_LISTENER], how="left_semi").select(*_PAIR),
        creators.join(listeners, [*_LISTENER], how="left_semi")
        .join(catalog, ["as_of", "creator_key"], how="inner")
        .select(*_PAIR),
    )
    rows = kinds[0]
    for kind in kinds[1:]:
        rows = rows.unionByName(kind)
    return rows.distinct()


def _reactions(events: Events, moments: Sequence[datetime]) -> DataFrame:
    """What each listener did in each show besides listening, and how often it was shown to the listener."""
    names = ("pair_likes", "pair_calls", "pair_chat_messages", "pair_impressions")
    kinds = (
        _done(events.like, names[0], F.greatest(F.coalesce("like_count", F.lit(1)), F.lit(0))),
        _done(events.call_in.where("call_state = 'requested'"), names[1], F.lit(1)),
        _done(events.chat_message, names[2], F.lit(1)),
        _done(events.show_impression, names[3], F.lit(1)),
    )
    rows = kinds[0]
    for kind in kinds[1:]:
        rows = rows.unionByName(kind, allowMissingColumns=True)
    return (
        point_in_time.before(rows, moments, days=SHOW_RECOMMENDATION.feature_days)
        .groupBy(*_PAIR)
        .agg(*(F.sum(name).alias(name) for name in names))
    )


def _labelled(rows: DataFrame, events: Events, heard: DataFrame, moments: Sequence[datetime]) -> DataFrame:
    """The rows with what happened after their moment."""
    since_moment = F.expr("(unix_micros(ended_at) - unix_micros(as_of)) div 1000")
    listened = (
        point_in_time.after(heard.where("listener_key IS NOT NULL"), moments, SHOW_RECOMMENDATION)
        .groupBy(*_PAIR)
        .agg(F.sum(F.least("heard_ms", since_moment)).alias("label_ms"))
    )
    impressions = (
        point_in_time.after(_done(events.show_impression, "shown", F.lit(1)), moments, SHOW_RECOMMENDATION)
        .groupBy(*_PAIR)
        .agg(F.sum("shown").alias("label_impressions"))
    )
    begun = (
        point_in_time.after(_targets(events.follow).where("follow_action = 'follow'"), moments, SHOW_RECOMMENDATION)
        .select(*_LISTENER, "kind", "target")
        .distinct()
    )
    return (
        rows.join(listened, [*_PAIR], how="left")
        .join(impressions, [*_PAIR], how="left")
        .join(_of(begun, "show", "show_id", "began_show"), [*_PAIR], how="left")
        .join(_of(begun, "creator", "creator_key", "began_creator"), [*_LISTENER, "creator_key"], how="left")
    )


def _computed(period: Period) -> dict[str, Column]:
    """The columns that are worked out of a row's others."""
    counts = (
        *("show_listeners", "show_recent_listeners", "creator_shows", "creator_listeners", "pair_sessions"),
        *("pair_likes", "pair_calls", "pair_chat_messages", "pair_impressions", "label_impressions"),
    )
    of_minutes = {
        "show_minutes": "show_ms",
        "show_recent_minutes": "show_recent_ms",
        "creator_minutes": "creator_ms",
        "listener_minutes": "listener_ms",
        "pair_minutes": "pair_ms",
        "label_minutes": "label_ms",
    }
    return {
        **{name: _or_none(name) for name in counts},
        **{name: _or_none(milliseconds) / 60_000 for name, milliseconds in of_minutes.items()},
        **{f"{of}_hours_since_heard": _hours_since(f"{of}_heard_at") for of in ("show", "listener", "pair")},
        "topic_affinity": _or_none("topic_ms") / F.col("listener_ms"),
        "creator_affinity": _or_none("of_creator_ms") / F.col("listener_ms"),
        "follows_show": F.col("follows_show").isNotNull(),
        "follows_creator": F.col("follows_creator").isNotNull(),
        "label_listened": _or_none("label_ms") >= LISTENED_MINUTES * 60_000,
        "label_followed": F.col("began_show").isNotNull() | F.col("began_creator").isNotNull(),
        "split": point_in_time.split(SHOW_RECOMMENDATION),
        "time_split": point_in_time.time_split(SHOW_RECOMMENDATION, period),
    }


def _done(events: DataFrame, name: str, count: Column) -> DataFrame:
    return events.select(
        "show_id", _listener().alias("listener_key"), "occurred_at", "arrived_at", count.alias(name)
    ).where("listener_key IS NOT NULL")


def _listener() -> Column:
    return F.coalesce("user_key", "device_key")


def _or_none(name: str) -> Column:
    return F.coalesce(name, F.lit(0))


def _hours_since(name: str) -> Column:
    return (F.unix_micros("as_of") - F.unix_micros(name)) / 3_600_000_000
