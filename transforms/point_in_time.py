"""What could be known at a moment, what happened after it, and into which split a row goes; reads and writes no table.

An event counts for a feature of a moment when it happened within the feature window before it *and* had arrived before
it: what the platform could have used there and then. It counts for a label when it happened within the label window
from the moment on, and arrived before the labels are settled. Of events that come in twice the tables hold the first
arrival, so that what is delivered again changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F  # noqa: N812 - the name that all of Spark's documentation uses

from contracts.data_sets import SPLIT_PERCENT, SPLIT_SALT, DataSet, Period


def known_at() -> Column:
    """When an event had both happened and arrived; a producer's clock may run ahead of ours."""
    return F.greatest("occurred_at", "arrived_at")


def before(events: DataFrame, moments: Sequence[datetime], *, days: int | None) -> DataFrame:
    """The events with each moment `as_of` for whose features they count: once for every such moment.

    `days` is how far back features look; None: as far as there are events.
    """
    counts = "m -> greatest(occurred_at, arrived_at) < m"
    if days is not None:
        counts += f" AND occurred_at >= m - INTERVAL {days} DAYS"
    return _at(events, moments, counts)


def after(events: DataFrame, moments: Sequence[datetime], data_set: DataSet) -> DataFrame:
    """The events with the moment `as_of` for whose labels they count."""
    return _at(
        events,
        moments,
        f"m -> occurred_at >= m AND occurred_at < m + INTERVAL {data_set.label_days} DAYS "
        f"AND arrived_at < m + INTERVAL {data_set.label_span.days} DAYS",
    )


def sums_before(moments: DataFrame, facts: DataFrame, *, by: str, sums: Sequence[str]) -> DataFrame:
    """The moments with the sums over the facts that are known before them and still count.

    `moments` hold `as_of`, `by` and anything else; `facts` hold `by`, `known_at`, `until` and whole numbers, named by
    `sums`, null for none. A fact counts at a moment with `known_at` < as_of <= `until`. A moment whose `by` is null is
    left out.

    Each fact is a step up when it becomes known and a step down after it counted last, so that one running sum answers
    all moments of a key: a storm of reports on one target costs no more than as many on many.
    """
    counts = facts.where(F.col(by).isNotNull() & (F.col("known_at") < F.col("until")))
    ends = (F.struct(F.col(moment).alias("at"), F.lit(step).alias("step")) for moment, step in _STEPS)
    steps = counts.select("*", F.explode(F.array(*ends)).alias("edge")).select(
        by,
        F.unix_micros("edge.at").alias("at"),
        *((F.col(name) * F.col("edge.step")).cast("bigint").alias(name) for name in sums),
    )
    asked = moments.where(F.col(by).isNotNull()).withColumn("at", F.unix_micros("as_of"))
    # Up to a moment, but not at it: what becomes known at as_of is not before it, and what ends there still counts.
    running = Window.partitionBy(by).orderBy("at").rangeBetween(Window.unboundedPreceding, -1)
    return (
        asked.unionByName(steps, allowMissingColumns=True)
        .withColumns({name: F.coalesce(F.sum(name).over(running), F.lit(0)) for name in sums})
        .where("as_of IS NOT NULL")
        .drop("at")
    )


_STEPS = (("known_at", 1), ("until", -1))


def counted_once(facts: DataFrame, *, by: str, who: str) -> DataFrame:
    """Facts whose sum counts each `who` of a `by` once: each counts until the same one's next is known.

    Columns as in `sums_before`, with `who`. A fact that is known later may end earlier; then the older one's end holds.
    """
    in_order = Window.partitionBy(by, who).orderBy("known_at", "until")
    latest_end = F.max("until").over(in_order.rowsBetween(Window.unboundedPreceding, Window.currentRow))
    return (
        facts.withColumn("next_known_at", F.lead("known_at").over(in_order))
        .withColumn("until", F.least(latest_end, F.col("next_known_at")))
        .drop("next_known_at")
    )


def split(data_set: DataSet) -> Column:
    """The split of a row, by its key alone: a hundredth by the key's SHA-256 under the salt."""
    key = ", ".join(data_set.split_by)
    hundredth = f"CAST(conv(left(sha2(concat('{SPLIT_SALT}', coalesce({key})), 256), 8), 16, 10) AS bigint) % 100"
    limit, cases = 0, []
    for name, percent in SPLIT_PERCENT.items():
        limit += percent
        cases.append(f"WHEN {hundredth} < {limit} THEN '{name}'")
    return F.expr(f"CASE {' '.join(cases)} END")


def time_split(data_set: DataSet, period: Period) -> Column:
    """The split of a row by its moment: the last stretch of the period is test, the one before it validation."""
    stretch = timedelta(days=data_set.time_split_days)
    return (
        F.when(F.col("as_of") >= literal(period.until - stretch), "test")
        .when(F.col("as_of") >= literal(period.until - 2 * stretch), "validation")
        .otherwise("train")
    )


def literal(moment: datetime) -> Column:
    """A moment (UTC) as a literal."""
    return F.expr(_text(moment))


def _at(events: DataFrame, moments: Sequence[datetime], counts: str) -> DataFrame:
    listed = ", ".join(_text(moment) for moment in moments)
    return events.withColumn("as_of", F.explode(F.expr(f"filter(array({listed}), {counts})")))


def _text(moment: datetime) -> str:
    return f"TIMESTAMP '{moment:%Y-%m-%d %H:%M:%S}'"
