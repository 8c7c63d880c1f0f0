"""Shows, their history and their creators, from what the show catalog told; reads and writes no table.

An entry counts from `show_updated_at` on, or from when it occurred if the catalog did not say. So an entry that arrives
late takes its place in the history, and what comes after it is compared with it.
"""

from __future__ import annotations

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F  # noqa: N812 - the name that all of Spark's documentation uses

from contracts.lake_tables.shows import CREATOR_PROFILES, CREATORS, SHOW_HISTORY, SHOWS
from transforms.shape import shaped

_OF_THE_ENTRY = ("show_id", "show_version", "show_updated_at")
"""Columns that may change without the show being another."""
COMPARED = tuple(
    column.name
    for column in SHOW_HISTORY.columns
    if column.name.startswith("show_") and column.name not in _OF_THE_ENTRY
)
"""Columns in which a version of a show differs from the one before it."""
_NEWEST_FIRST = ("show_version", "arrived_at", "event_id")
"""What tells the newest of entries that count from the same moment; greater is newer."""
_ONE_ENTRY = ("event_id", "occurred_at")
"""What tells one entry: a version that is announced again on another day has the id that it had."""


def dated(entries: DataFrame) -> DataFrame:
    """Entries with `valid_from`, the moment from which each counts; entries of no show are left out."""
    return entries.where("show_id IS NOT NULL").withColumn("valid_from", F.coalesce("show_updated_at", "occurred_at"))


def with_older_versions(entries: DataFrame, history: DataFrame) -> DataFrame:
    """The `dated` entries of some shows, and what their history knows from before the first of these entries.

    The history is kept for longer than the entries: without this a show that changes would lose its early years.
    """
    first = entries.groupBy("show_id").agg(F.min("valid_from").alias("first_entry"))
    older = history.join(first, "show_id", how="inner").where("valid_from < first_entry").drop("first_entry")
    return entries.unionByName(older.drop("valid_to", "changed_columns"), allowMissingColumns=True)


def show_history(entries: DataFrame) -> DataFrame:
    """Versions of each show that differ from the one before, of `dated` entries, shaped as `transformed.show_history`.

    Of entries that count from the same moment only the newest is a version: the others were valid at no time.
    """
    at_moment = Window.partitionBy("show_id", "valid_from").orderBy(
        *(F.desc_nulls_last(name) for name in _NEWEST_FIRST)
    )
    in_order = Window.partitionBy("show_id").orderBy("valid_from")
    before = F.col("before")
    differs = [F.when(~F.col(name).eqNullSafe(before[name]), F.lit(name)) for name in COMPARED]
    versions = (
        entries.withColumn("place", F.row_number().over(at_moment))
        .where("place = 1")
        .withColumn("before", F.lag(F.struct(*COMPARED)).over(in_order))
        .withColumn("changed_columns", F.when(before.isNotNull(), F.array_compact(F.array(*differs))))
        .where("before IS NULL OR size(changed_columns) > 0")
        .withColumn("valid_to", F.lead("valid_from").over(in_order))
    )
    return shaped(versions, SHOW_HISTORY)


def shows(history: DataFrame) -> DataFrame:
    """The current version of each show of a whole history, shaped as `transformed.shows`."""
    of_show = history.groupBy("show_id").agg(F.count("*").alias("versions"), F.min("valid_from").alias("first_seen_at"))
    return shaped(history.where("valid_to IS NULL").join(of_show, "show_id", how="inner"), SHOWS)


def creators(history: DataFrame) -> DataFrame:
    """Every creator whom a whole history names, with their current shows, shaped as `transformed.creators`.

    A creator whose last show went to somebody else stays, with no show.
    """
    by_creator = history.where("show_creator_key IS NOT NULL").groupBy(F.col("show_creator_key").alias("creator_key"))
    now = F.col("valid_to").isNull()
    none = F.array().cast("array<string>")
    found = by_creator.agg(
        F.count_if(now).alias("shows"),
        F.count_if(now & (F.col("show_status") == "live")).alias("live_shows"),
        F.array_sort(F.collect_set(F.when(now, F.col("show_language")))).alias("languages"),
        F.flatten(F.collect_list(F.when(now, F.coalesce("show_topics", none)))).alias("topics"),
        F.min("valid_from").alias("first_seen_at"),
        F.max(F.when(now, F.col("valid_from"))).alias("last_changed_at"),
    )
    in_order = F.array_sort(F.array_compact(F.array_distinct("topics")))
    return shaped(found.withColumn("topics", in_order), CREATORS)


def newest_by_creator(entries: DataFrame) -> DataFrame:
    """In which of the `dated` entries the catalog last told of each creator.

    Columns: creator_key, event_id, occurred_at, changed_at.
    """
    newest = Window.partitionBy("show_creator_key").orderBy(
        F.desc("valid_from"), *(F.desc_nulls_last(name) for name in _NEWEST_FIRST)
    )
    return (
        entries.where("show_creator_key IS NOT NULL")
        .withColumn("place", F.row_number().over(newest))
        .where("place = 1")
        .select(
            F.col("show_creator_key").alias("creator_key"),
            "event_id",
            "occurred_at",
            F.col("valid_from").alias("changed_at"),
        )
    )


def creator_profiles(newest: DataFrame, details: DataFrame) -> DataFrame:
    """Who the creators of the `newest` entries are, shaped as `personal.creator_profiles`.

    `details` is `personal.event_details`; a creator of whom it holds nothing any more, because the person was erased,
    gets no row.
    """
    told = details.where("event_type = 'show_catalog_entry'").select(
        *_ONE_ENTRY,
        F.col("details")["show_creator_id"].alias("creator_id"),
        F.col("details")["show_creator_name"].alias("creator_name"),
    )
    known = F.broadcast(newest).join(told, list(_ONE_ENTRY), how="inner").where("creator_id IS NOT NULL")
    return shaped(known, CREATOR_PROFILES)
